/** The page of benchmarks/frames.py: decks that play, and how long the pictures' code takes of each frame. */

import { Clock } from "../../clock/clock";
import { h } from "../../dom";
import "../../styles/base.css";
import { deckSong, FakeDecks, hotCue } from "../../testing/decks";
import { BeatCounter, DeckKey, DeckOverview, JogWheel, keepMoving, LevelMeter, PhaseMeter, WaveStack } from "./index";

/** Per cent: each deck's waveform has a scale of its own. */
const PITCH = [0, 3.2, 1.6, -3];
const CUES = [8, 24, 40, 72, 104, 136, 168, 200];
const WARM_UP = 60;

/** Plays for so many frames; returns ms of each. */
async function measure(count: number, stems: boolean, frames: number): Promise<number[]> {
  const ending = new AbortController();
  const times: number[] = [];
  const decks = new FakeDecks();
  const { controls } = decks;
  const clock = new Clock({
    request: (callback) => requestAnimationFrame((now) => {
      for (const moment of decks.moments) moment.position += moment.rate / 60;
      const began = performance.now();
      callback(now);
      times.push(performance.now() - began);
    }),
    cancel: cancelAnimationFrame,
  });
  const scene = { decks, controls, clock, signal: ending.signal };
  controls.set("mixer.decks", count > 2 ? "4" : "2", "bench");
  controls.set("view.stems", stems ? 1 : 0, "bench");
  for (let deck = 1; deck <= count; deck += 1) {
    const pitch = PITCH[deck - 1] as number;
    controls.set(`deck.${deck}.pitch`, pitch, "bench");
    const cues = CUES.map((time, i) => hotCue(i + 1, time, { label: "Cue" }));
    decks.put(deck, deckSong(`song-${deck}`, { cues, key: { tonic: (deck * 7) % 12, minor: true } }), {
      playing: true, rate: 1 + pitch / 100, position: 16 * deck, leader: deck === 1, phase: deck === 1 ? null : 0,
    });
  }

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
      clock, signal: ending.signal, label: "Level",
      read: () => {
        const level = Math.abs(Math.sin(4 * decks.stand(deck).position));
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
