import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * Runs programs one after another in this one JVM: {@code java Batch.java <file>...}.
 *
 * <p>Each is alone in its folder, but for the files that it reads. It is compiled in memory, and run in this working
 * directory, into which those files are copied. What it prints goes to {@code stdout} and {@code stderr} in its folder,
 * and what {@code java} would exit with to {@code status}.
 */
class Batch {
    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();
    private static final JavaFileManager FILES = COMPILER.getStandardFileManager(null, null, StandardCharsets.UTF_8);

    public static void main(String[] programs) throws Exception {
        for (String program : programs) {
            run(Path.of(program));
        }
        System.exit(0); // the programs' HTTP clients have threads that would go on
    }

    private static void run(Path program) throws Exception {
        Path folder = program.getParent();
        List<Path> samples = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(file -> !file.equals(program)).collect(Collectors.toList())) {
                samples.add(Files.copy(file, file.getFileName(), StandardCopyOption.REPLACE_EXISTING));
            }
        }
        PrintStream out = System.out;
        PrintStream err = System.err;
        try (PrintStream stdout = new PrintStream(folder.resolve("stdout").toFile(), StandardCharsets.UTF_8);
                PrintStream stderr = new PrintStream(folder.resolve("stderr").toFile(), StandardCharsets.UTF_8)) {
            System.setOut(stdout);
            System.setErr(stderr);
            Files.writeString(folder.resolve("status"), call(program) ? "0" : "1");
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        for (Path sample : samples) {
            Files.delete(sample);
        }
    }

    private static boolean call(Path program) throws Exception {
        Map<String, ByteArrayOutputStream> classes = new HashMap<>();
        DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
        if (!COMPILER.getTask(null, new Memory(classes), problems, null, null, List.of(new Source(program))).call()) {
            problems.getDiagnostics().forEach(System.err::println);
            return false;
        }
        ClassLoader loader = new ClassLoader() {
            @Override
            protected Class<?> findClass(String name) {
                byte[] code = classes.get(name).toByteArray();
                return defineClass(name, code, 0, code.length);
            }
        };
        try {
            loader.loadClass("Main").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
            return true;
        } catch (InvocationTargetException error) {
            error.getCause().printStackTrace();
            return false;
        }
    }

    /** A program, whatever its file is called: {@code java File.java} does not mind either. */
    private static class Source extends SimpleJavaFileObject {
        private final String text;

        Source(Path program) throws Exception {
            super(program.toUri(), Kind.SOURCE);
            text = Files.readString(program);
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }

        @Override
        public boolean isNameCompatible(String name, Kind kind) {
            return true;
        }
    }

    /** Keeps classes in memory. */
    private static class Memory extends ForwardingJavaFileManager<JavaFileManager> {
        private final Map<String, ByteArrayOutputStream> classes;

        Memory(Map<String, ByteArrayOutputStream> classes) {
            super(FILES);
            this.classes = classes;
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
                Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("memory:///" + name), kind) {
                @Override
                public OutputStream openOutputStream() {
                    classes.put(name, new ByteArrayOutputStream());
                    return classes.get(name);
                }
            };
        }
    }
}
