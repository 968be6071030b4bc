/** The page of benchmarks/frames.py: decks that play, and how long the pictures' code takes of each frame. */

import { h } from "../../dom";
import "../../styles/base.css";
import { fakeScene, fakeSong } from "./fake";
import { BeatCounter, DeckKey, DeckOverview, JogWheel, keepMoving, LevelMeter, PhaseMeter, WaveStack } from "./index";

const TEMPI = [128, 124, 126, 132];
const WARM_UP = 60;

/** Plays for so many frames; returns ms of each. */
async function measure(count: number, stems: boolean, frames: number): Promise<number[]> {
  const ending = new AbortController();
  const times: number[] = [];
  const songs = TEMPI.slice(0, count).map((bpm, i) => fakeSong({
    bpm, duration: 300, stems, key: { tonic: (i * 7) % 12, minor: true }, cues: [8, 24, 40, 72, 104, 136, 168, 200].map((time) => ({ time, label: "Cue" })),
  }));
  const scene = fakeScene(songs, ending.signal, {
    request: (callback) => requestAnimationFrame((now) => {
      for (let deck = 1; deck <= count; deck += 1) {
        const moment = scene.decks.stand(deck);
        moment.position += moment.rate / 60;
      }
      const began = performance.now();
      callback(now);
      times.push(performance.now() - began);
    }),
    cancel: cancelAnimationFrame,
  });
  songs.forEach(({ analysis }, i) => {
    const rate = (TEMPI[0] as number) / (TEMPI[i] as number);
    scene.controls.set(`deck.${i + 1}.pitch`, 100 * (rate - 1), "bench");
    scene.decks.change(i + 1, {
      playing: true, rate, position: analysis?.downbeats[4 * (i + 1)] ?? 0, tempo: TEMPI[0] as number, leader: i === 0,
      phase: i === 0 ? null : 0,
    });
  });
  scene.controls.set("mixer.decks", count > 2 ? "4" : "2", "bench");
  scene.controls.set("view.stems", stems ? 1 : 0, "bench");

  const place = (style: string) => {
    const host = h("div");
    host.style.cssText = `position: relative; ${style}`;
    return host;
  };
  const root = h("div", { class: "sfa", "data-theme": "dark" });
  const stack = place(`height: ${count * (stems ? 120 : 96)}px`);
  root.append(stack);
  document.body.replaceChildren(root);
  new WaveStack(stack, scene);
  for (let deck = 1; deck <= count; deck += 1) {
    const overview = place("height: 48px");
    const phase = place("width: 160px; height: 24px");
    const counter = place("");
    const key = place("");
    const jog = place("width: 140px; height: 140px");
    const meter = place("width: 18px; height: 140px");
    root.append(overview, phase, counter, key, jog, meter);
    new DeckOverview(overview, scene, deck);
    new PhaseMeter(phase, scene, deck);
    new BeatCounter(counter, scene, deck);
    new DeckKey(key, scene, deck);
    new JogWheel(jog, scene, deck);
    new LevelMeter(meter, {
      clock: scene.clock, signal: ending.signal, label: "Level",
      read: () => {
        const level = Math.abs(Math.sin(4 * scene.decks.stand(deck).position));
        return { left: level, right: 0.8 * level };
      },
    });
  }
  keepMoving(scene);
  while (times.length < WARM_UP + frames) await new Promise(requestAnimationFrame);
  ending.abort();
  return times.slice(WARM_UP);
}

Object.assign(globalThis, { measure });
