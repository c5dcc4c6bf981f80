// The microphone, as a WAV file: what every server decodes, whatever the browser records in.

const RATE = 16000;
const TICK = 100;

/** Starts to record; `tell` hears the seconds so far. Of what it gives, `finish()` ends it and gives the WAV file, and
 * `drop()` just ends it. */
export async function record(tell) {
  const input = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(input);
  const chunks = [];
  recorder.addEventListener("dataavailable", (event) => chunks.push(event.data));
  recorder.start();
  const start = performance.now();
  const clock = setInterval(() => tell((performance.now() - start) / 1000), TICK);
  function drop() {
    clearInterval(clock);
    input.getTracks().forEach((track) => track.stop());
  }
  async function finish() {
    clearInterval(clock);
    if (recorder.state !== "inactive") {
      const ended = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
      recorder.stop();
      await ended;
    }
    drop();
    return converted(await new Blob(chunks).arrayBuffer());
  }
  return { finish, drop };
}

async function converted(data) {
  const context = new AudioContext({ sampleRate: RATE });
  try {
    return new Blob([wav(mono(await context.decodeAudioData(data)), RATE)], { type: "audio/wav" });
  } finally {
    await context.close();
  }
}

function mono(buffer) {
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
  return channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
}

/** A WAV file of `samples` from -1 to 1: one channel, 16 bits. Pure. */
export function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // length of what follows on the form
  view.setUint16(20, 1, true); // plain numbers
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a sample
  view.setUint16(34, 16, true); // bits a sample
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) =>
    view.setInt16(44 + 2 * i, Math.round(Math.max(-1, Math.min(1, sample)) * 0x7fff), true),
  );
  return view.buffer;
}
