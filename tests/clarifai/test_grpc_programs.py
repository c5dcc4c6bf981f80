"""Programs as Clarifai's docs have them, run against the command, and how a server of gRPC begins and ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("torch", reason="torch is not installed")

import grpc
from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import service_pb2, service_pb2_grpc

from tests.server.live import until
from tests.support.server import environment

from .asking import Scores
from .calling import CERTIFICATE, KEY, START_SECONDS, Call, Request, concepts, refused, texts

ROOT = Path(__file__).parents[2]
ASR = "automatic-speech-recognition"
DEMO = Path(str(files("inference_tasks"))) / "_demo" / ASR
SPEECH = ROOT / "specs" / ASR / "examples" / "digits.flac"
SAID = "three one four"

# The page's two programs: what is theirs is the order of things, the words are ours.
BEGINNING = """
PAT = {key!r}
USER_ID = "facebook"
APP_ID = "asr"
MODEL_ID = "asr-wav2vec2-base-960h-english"

from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc
from clarifai_grpc.grpc.api.status import status_code_pb2

channel = ClarifaiChannel.get_grpc_channel()
stub = service_pb2_grpc.V2Stub(channel)
metadata = (("authorization", "Key " + PAT),)
user = resources_pb2.UserAppIDSet(user_id=USER_ID, app_id=APP_ID)
"""
ENDING = """
answer = stub.PostModelOutputs(
    service_pb2.PostModelOutputsRequest(
        user_app_id=user,
        model_id=MODEL_ID,
        inputs=[resources_pb2.Input(data=resources_pb2.Data(audio=audio))],
    ),
    metadata=metadata,
)
if answer.status.code != status_code_pb2.SUCCESS:
    raise Exception(f"{answer.status.code}: {answer.status.description}; {answer.status.details}")
print(answer.outputs[0].data.text.raw)
"""
AUDIO = {
    "url": """
AUDIO_URL = {url!r}
audio = resources_pb2.Audio(url=AUDIO_URL)
""",
    "bytes": """
AUDIO_FILE_LOCATION = {file!r}
with open(AUDIO_FILE_LOCATION, "rb") as file:
    audio = resources_pb2.Audio(base64=file.read())
""",
}


@contextmanager
def served(*words: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The command ``serve`` in a process of its own, and its addresses for HTTP and gRPC."""
    command = [sys.executable, "-m", "inference_tasks", "serve", "--port", "0", "--grpc-port", "0", *words]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=cwd, env=environment() | {"A_KEY": KEY}, **pipes) as process:
        try:
            line = process.stdout.readline()  # type: ignore[union-attr] # it is a pipe
            found = re.match(r"(http://\S+) serves .*; gRPC: (\S+) \(with(?:out)? TLS\)$", line)
            assert found, line + process.stderr.read()  # type: ignore[union-attr] # so is this
            yield process, found[1], found[2]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server of the page's model, and what leads Clarifai's client there: the environment alone."""
    folder = tmp_path_factory.mktemp("serve")
    model = {"task": ASR, "directory": os.fspath(DEMO), "name": "facebook/asr/asr-wav2vec2-base-960h-english"}
    told = "\n".join(f"{name} = {json.dumps(value)}" for name, value in model.items())
    (folder / "serve.toml").write_text(f"[[models]]\n{told}\n", encoding="utf-8")
    words = ["--config", "serve.toml", "--token-env", "A_KEY", "--fetch", "127.0.0.1"]
    with served(*words, "--grpc-certificate", os.fspath(CERTIFICATE), cwd=folder) as (_, url, address):
        until(lambda: httpx.get(f"{url}/ready", trust_env=False).status_code == 200, START_SECONDS)
        port = address.rpartition(":")[2]
        leads = {"CLARIFAI_GRPC_BASE": f"localhost:{port}", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": os.fspath(CERTIFICATE)}
        yield url, environment() | leads


def ran(program: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("by", AUDIO)
def test_the_pages_programs_run_unchanged(local: tuple[str, dict[str, str]], by: str) -> None:
    url, variables = local
    audio = AUDIO[by].format(url=f"{url}/samples/{ASR}/{SPEECH.name}", file=os.fspath(SPEECH))
    done = ran(BEGINNING.format(key=KEY) + audio + ENDING, variables)
    assert (done.stdout, done.returncode) == (f"{SAID}\n", 0), done.stderr


@pytest.mark.parametrize(
    ("key", "audio", "told"),
    [
        ("another", AUDIO["bytes"], "11009"),
        (KEY, 'audio = resources_pb2.Audio(url="http://127.0.0.1:9/none.wav")', "30002"),
        (KEY, 'audio = resources_pb2.Audio(url="none.wav")', "30106"),
        (KEY, 'audio = resources_pb2.Audio(base64=b"no sound")', "30300"),
    ],
)
def test_the_pages_programs_are_told_what_is_wrong(
    local: tuple[str, dict[str, str]], key: str, audio: str, told: str
) -> None:
    audio = audio.format(file=os.fspath(SPEECH))
    ending = ENDING.replace("answer.status.code}", "[answer.status.code, *(o.status.code for o in answer.outputs)]}")
    done = ran(BEGINNING.format(key=key) + audio + ending, local[1])
    assert done.returncode == 1
    assert told in done.stderr.splitlines()[-1], done.stderr


PROGRAM = """
import sys
from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime.server.clarifai.grpc import grpc_server
from inference_tasks._runtime.server.ports import listen
from inference_tasks._runtime.server.run import serve
from inference_tasks._runtime.server.settings import Serving
from inference_tasks.server import create_app
from tests.server.test_streams import Counter

settings = Serving(grpc_port=0, finish=float(sys.argv[1]))
app = create_app([Counter()], settings=settings)
grpc = grpc_server(app, "inference_tasks", DIALECTS, settings)
print(grpc.address, flush=True)
serve(app, listen("127.0.0.1", 0), settings, grpc)
"""


@pytest.mark.parametrize("finish", [30, 0.5])
def test_calls_under_way_are_finished_within_the_bound(finish: float) -> None:
    command = [sys.executable, "-c", PROGRAM, str(finish)]
    variables = environment() | {"PYTHONPATH": os.fspath(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()  # type: ignore[union-attr] # it is a pipe
        try:
            with ClarifaiChannel.get_insecure_grpc_channel(*address.split(":")) as channel:
                stub = service_pb2_grpc.V2Stub(channel)
                info = service_pb2.ListModelsRequest()
                stub.ListModels(info, wait_for_ready=True, timeout=20)
                answer = stub.PostModelOutputs.future(Request(model_id="text-generation", inputs=texts("slow 300")))
                time.sleep(0.5)  # it has begun, and takes a second and a half
                process.send_signal(signal.SIGTERM)
                if finish > 1:
                    assert answer.result(20).outputs[0].data.text.raw == "slow 300"
                else:
                    refused(grpc.StatusCode.UNAVAILABLE, answer.result)
                refused(grpc.StatusCode.UNAVAILABLE, lambda: stub.ListModels(info, timeout=20))
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
def test_the_guides_certificate_is_one(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8").partition("## Clarifai's clients\n")[2]
    (line,) = re.findall(r"^openssl (?:.*\\\n)*.*$", section, re.MULTILINE)
    subprocess.run(["bash", "-c", line], cwd=tmp_path, check=True, capture_output=True)
    monkeypatch.chdir(tmp_path)
    live = call(Scores(), grpc_certificate=Path("certificate.pem"), grpc_key=Path("key.pem"))
    answer = live.predict("text-classification", *texts("cat=0.5"))
    assert concepts(answer.outputs[0]) == [("cat", 0.5)]


def test_it_is_imported_only_where_it_is_wanted() -> None:
    program = """
import sys
from inference_tasks.__main__ import main
sys.modules["clarifai_grpc"] = None
sys.argv = ["inference-tasks", "serve", "--port", "0", "--grpc-port", "0", "--model", "TASK=DIR"]
code = main()
assert "grpc" not in sys.modules
sys.exit(code)
"""
    done = ran(program.replace("TASK=DIR", f"{ASR}={DEMO}"), environment())
    assert done.returncode == 2
    told = r"inference-tasks: clarifai_grpc[.\w]* is missing: pip install 'inference-tasks\[clarifai\]'\n"
    assert re.fullmatch(told, done.stderr), done.stderr
