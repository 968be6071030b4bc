// Plays a script in the console's own audio worklet, in an OfflineAudioContext, and gives the master as base64.
async ({ rate, start, frames, deck, song, changes, events }) => {
  const source = await (await fetch("/console.js")).text();
  const context = new OfflineAudioContext(2, start + frames, rate);
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const options = { numberOfInputs: 0, numberOfOutputs: 2, outputChannelCount: [2, 2] };
  const node = new AudioWorkletNode(context, "sfa-console", options);
  node.connect(context.destination, 0);
  const listeners = [];
  const refused = [];
  const ready = new Promise((resolve) => listeners.push((data) => data.type === "ready" && resolve()));
  node.port.onmessage = ({ data }) => {
    if (data.type === "refused") refused.push(data.message);
    for (const listener of listeners) listener(data);
  };
  // All that was sent before has been taken in when this comes back.
  const settled = () => new Promise((resolve) => {
    listeners.push((data) => data.type === "state" && data.state.seen === 7 && resolve());
    node.port.postMessage({ type: "set", changes: [], n: 7 });
  });
  const decoded = await context.decodeAudioData(await (await fetch("/song.wav")).arrayBuffer());
  const slice = 1 << 18;
  // As quantise.ts does with 16 bits.
  const integers = (side, from) => Int16Array.from(side.subarray(from, from + slice), (v) => Math.round(v * (v > 0 ? 32767 : 32768)));
  context.suspend(start / rate / 2).then(async () => {
    await ready;
    const info = { ...song, frames: decoded.length, roles: ["mix"], hotCues: new Array(8).fill(null), cuePoint: 0, key: null };
    info.grid = { beats: Float64Array.from(song.grid.beats), downbeats: Int32Array.from(song.grid.downbeats), steady: true };
    node.port.postMessage({ type: "load", deck, info });
    for (let index = 0; index * slice < decoded.length; index += 1) {
      const [left, right] = [0, 1].map((side) => integers(decoded.getChannelData(side), index * slice));
      node.port.postMessage({ type: "slice", deck, song: song.id, role: "mix", index, slice: { left, right, scale: 32768 } });
    }
    const opening = changes.map(([control, value]) => ({ when: { frame: start }, control, value }));
    const timed = events.map(({ frame, ...event }) => ({ ...event, when: { frame: start + frame } }));
    node.port.postMessage({ type: "play", tag: "script", events: [...opening, ...timed] });
    await settled();
    context.resume();
  });
  const made = await context.startRendering();
  const sides = [0, 1].map((side) => {
    const bytes = new Uint8Array(made.getChannelData(side).slice(start).buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(text);
  });
  return { sides, refused };
}
