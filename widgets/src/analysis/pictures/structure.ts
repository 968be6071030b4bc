/** The form of a song: sections with their repeats, keys, novelty, cues and loops. */

import { duration } from "../../format";
import type { KeySpan, Section } from "../../types";
import { marksOf, title, typeColour } from "../../waveform/song";
import { camelotHue } from "../colour";
import { stripOf } from "../columns";
import { fillStrip, fit, type Hit, type Pen, Picture, type Value } from "../picture";
import { bars, barsIn, covering, figure, list, percent, sectionName, sharps, spanWords } from "../words";

const FLAGS = { top: 3, height: 16 };
const SECTIONS = { top: 22, height: 36 };
const KEYS = { top: 60, height: 16 };
const LOOPS = { top: 79, height: 9 };
const NOVELTY = { top: 90, height: 26 };
const BEST_LOOPS = 6;

export class StructurePicture extends Picture {
  readonly name = "structure";
  readonly height = 118;
  /** Sections of this letter are shown as repeats of each other. */
  #group = "";

  /** The pointer is at this time; true when the picture looks different now. */
  point(time: number | null): boolean {
    const group = time === null ? "" : (this.#section(time)?.group ?? "");
    const repeats = this.#sections.filter((section) => section.group === group).length;
    const next = repeats > 1 ? group : "";
    if (next === this.#group) return false;
    this.#group = next;
    return true;
  }

  missing(): string | null {
    return this.#sections.length > 0 ? null : "No sections were found.";
  }

  paint(pen: Pen): void {
    this.#paintSections(pen);
    this.#paintKeys(pen);
    this.#paintLoops(pen);
    this.#paintNovelty(pen);
    this.#paintCues(pen);
  }

  override paintScale(pen: Pen): void {
    const { context, width } = pen;
    context.font = pen.font(9);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillStyle = pen.colour("--dim");
    const rows = [["cues", FLAGS], ["keys", KEYS], ["loops", LOOPS], ["new", NOVELTY]] as const;
    for (const [word, { top, height }] of rows) context.fillText(word, width - 5, top + height / 2);
  }

  override values(time: number): Value[] {
    const section = this.#section(time);
    const key = this.#key(time);
    return [
      {
        label: "Section", line: "area",
        tone: section ? typeColour(section.label) : "--dim",
        text: section ? `${sectionName(section)} ${percent(section.confidence)}` : "–",
      },
      { label: "Key", text: key ? `${key.camelot} ${sharps(key.key)}` : "–" },
    ];
  }

  override words(time: number, y: number): string {
    const at = y * this.height;
    const { analysis } = this.data;
    if (at >= KEYS.top && at < LOOPS.top) {
      const key = this.#key(time);
      return key ? `${sharps(key.key)} (${key.camelot}), ${spanWords(key.start, key.end)}, ${percent(key.confidence)} sure` : "";
    }
    if (at >= LOOPS.top && at < NOVELTY.top) {
      const loop = this.#loops.find(({ start, end }) => time >= start && time < end);
      if (loop) return `Loop of ${bars(loop.bars)}, ${spanWords(loop.start, loop.end)}, seam ${percent(loop.score)}: ${loop.reason}`;
    }
    if (at >= NOVELTY.top) {
      const novelty = this.data.curve("structure.novelty");
      if (novelty) return `Novelty ${figure(novelty.at(time), 2)}: how unlike before and after are`;
    }
    const section = this.#section(time);
    if (!section) return "";
    const count = barsIn(analysis?.downbeats ?? [], section.start, section.end);
    const length = count > 0 ? `${bars(count)}, ` : "";
    const reason = section.reason ? `. ${section.reason}` : "";
    return `${sectionName(section)}, ${spanWords(section.start, section.end)}, ${length}${percent(section.confidence)} sure${reason}`;
  }

  override describe(): string {
    const sections = this.#sections.map((section) => `${sectionName(section)} ${duration(section.start)}`);
    const keys = this.#keys;
    const changes = keys.length > 1 ? ` The key changes: ${list(keys.map(({ key, start }) => `${key} from ${duration(start)}`))}.` : "";
    const cues = this.data.cues.length > 0
      ? ` Cues: ${list(marksOf(this.data.cues).map(({ label, time }) => `${label} ${duration(time)}`))}.`
      : "";
    return `${sections.length === 1 ? "1 section" : `${sections.length} sections`}: ${list(sections)}.${changes}${cues}`;
  }

  override hit(time: number, y: number): Hit | null {
    const at = y * this.height;
    if (at >= LOOPS.top && at < NOVELTY.top) {
      const loop = this.#loops.find(({ start, end }) => time >= start && time < end);
      if (loop) return { range: { start: loop.start, end: loop.end } };
    }
    const section = this.#section(time);
    return section && { range: { start: section.start, end: section.end } };
  }

  get #sections(): readonly Section[] {
    return this.data.analysis?.sections ?? [];
  }

  get #keys(): readonly KeySpan[] {
    return this.data.analysis?.keys ?? [];
  }

  /** The best of the whole song: more of them would hide each other. */
  get #loops() {
    const all = this.data.loops.length > 0 ? this.data.loops : (this.data.analysis?.loops ?? []);
    return all.filter(({ source }) => source === "mix").slice(0, BEST_LOOPS);
  }

  #section(time: number): Section | null {
    return covering(this.#sections, time);
  }

  #key(time: number): KeySpan | null {
    return covering(this.#keys, time);
  }

  #paintSections(pen: Pen): void {
    const { context, width } = pen;
    const { top, height } = SECTIONS;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const section of this.#sections) {
      const from = Math.max(0, pen.x(section.start));
      const to = Math.min(width, pen.x(section.end));
      if (to - from < 0.5) continue;
      const wide = Math.max(1, to - from - 1);
      const tone = pen.colour(typeColour(section.label));
      const alike = this.#group !== "" && section.group === this.#group;
      context.fillStyle = tone;
      context.globalAlpha = this.#group === "" ? 0.3 : alike ? 0.55 : 0.14;
      context.fillRect(from, top, wide, height);
      context.globalAlpha = this.#group === "" || alike ? 1 : 0.4;
      context.fillRect(from, top, wide, 3);
      // How sure: the part of the block's foot that is filled.
      context.fillRect(from, top + height - 2, wide * section.confidence, 2);
      context.globalAlpha = 1;
      context.fillStyle = pen.colour("--text");
      context.font = pen.font(12, 600);
      const left = Math.max(from, 0) + 6;
      const badge = section.group && wide > 30 ? 16 : 0;
      const name = fit(context, title(section.label), wide - 10 - badge);
      if (name) context.fillText(name, left + badge, top + 14);
      else if (section.group && wide > 14) this.#paintLetter(pen, section.group, left - 3, top + 7);
      if (name && badge) this.#paintLetter(pen, section.group as string, left, top + 7);
      context.font = pen.font(10);
      context.fillStyle = pen.colour("--text");
      context.globalAlpha = 0.75;
      const count = barsIn(this.data.analysis?.downbeats ?? [], section.start, section.end);
      const facts = count > 0 ? `${percent(section.confidence)} · ${bars(count)}` : percent(section.confidence);
      const small = fit(context, facts, wide - 10);
      if (small && !small.endsWith("…")) context.fillText(small, left, top + 27);
      else if (context.measureText(percent(section.confidence)).width < wide - 10) {
        context.fillText(percent(section.confidence), left, top + 27);
      }
      context.globalAlpha = 1;
    }
  }

  #paintLetter(pen: Pen, letter: string, x: number, y: number): void {
    const { context } = pen;
    context.fillStyle = pen.colour("--text");
    context.beginPath();
    context.roundRect(x, y, 12, 13, 3);
    context.fill();
    context.fillStyle = pen.colour("--surface-0");
    context.font = pen.font(9, 700);
    context.textAlign = "center";
    context.fillText(letter, x + 6, y + 7);
    context.textAlign = "left";
  }

  #paintKeys(pen: Pen): void {
    const { context, width } = pen;
    const { top, height } = KEYS;
    context.textBaseline = "middle";
    context.textAlign = "left";
    this.#keys.forEach((span, index) => {
      const from = Math.max(0, pen.x(span.start));
      const to = Math.min(width, pen.x(span.end));
      if (to <= from) return;
      const hue = camelotHue(span.camelot);
      const tone = pen.colour(span.camelot.endsWith("A") ? "--key-minor" : "--key-major");
      context.fillStyle = hue === null ? pen.colour("--surface-3") : `oklch(${tone} ${hue})`;
      context.globalAlpha = 0.5 + 0.5 * span.confidence;
      context.fillRect(from, top, Math.max(1, to - from - 1), height);
      context.globalAlpha = 1;
      context.fillStyle = pen.colour("--ink");
      context.font = pen.font(10, 600);
      const name = fit(context, `${span.camelot}  ${sharps(span.key)}`, to - from - 16);
      const short = name.endsWith("…") ? fit(context, span.camelot, to - from - 10) : name;
      context.fillText(short, from + (index > 0 ? 13 : 6), top + height / 2 + 0.5);
      if (index > 0 && pen.x(span.start) >= 0) {
        // A key change: a mark of its own beside the colours.
        const x = pen.x(span.start);
        context.fillStyle = pen.colour("--key-change");
        context.beginPath();
        context.moveTo(x, top);
        context.lineTo(x + 9, top + height / 2);
        context.lineTo(x, top + height);
        context.fill();
      }
    });
  }

  #paintLoops(pen: Pen): void {
    const { context } = pen;
    const { top, height } = LOOPS;
    for (const loop of this.#loops) {
      const from = pen.x(loop.start);
      const to = pen.x(loop.end);
      if (to < 0 || from > pen.width) continue;
      context.globalAlpha = 0.35 + 0.65 * loop.score;
      context.fillStyle = pen.colour("--deck-b");
      context.fillRect(from, top + 3, Math.max(2, to - from - 1), 2);
      context.fillRect(from, top, 2, height - 1);
      context.fillRect(Math.max(from, to - 3), top, 2, height - 1);
      context.globalAlpha = 1;
    }
  }

  #paintNovelty(pen: Pen): void {
    const curve = this.data.curve("structure.novelty");
    if (!curve) return;
    const { top, height } = NOVELTY;
    const most = Math.max(1e-9, curve.maximum());
    const y = (value: number) => top + height - Math.max(0, value / most) * height;
    const { mean, high } = stripOf(curve, 0, pen.view);
    pen.context.fillStyle = pen.colour("--dim");
    pen.context.globalAlpha = 0.55;
    fillStrip(pen, high.map((value, x) => (Number.isNaN(value) ? (mean[x] as number) : value)), 0, y);
    pen.context.globalAlpha = 1;
  }

  #paintCues(pen: Pen): void {
    const { context } = pen;
    const { top, height } = FLAGS;
    const marks = marksOf(this.data.cues);
    context.textBaseline = "middle";
    marks.forEach((mark, index) => {
      const x = Math.round(pen.x(mark.time));
      if (x < -100 || x > pen.width) return;
      const next = marks[index + 1];
      const room = next ? pen.x(next.time) - x - 20 : 120;
      const colour = mark.colour.startsWith("--") ? pen.colour(mark.colour) : mark.colour;
      context.font = pen.font(10, 500);
      const label = room > 24 ? fit(context, mark.label, Math.min(room, 120)) : "";
      context.fillStyle = colour;
      context.fillRect(x, top, 1.5, SECTIONS.top - top);
      context.beginPath();
      context.roundRect(x, top, 14 + (label ? context.measureText(label).width + 6 : 0), height - 2, [0, 3, 3, 0]);
      context.fill();
      context.fillStyle = "#101216";
      if (label) context.fillText(label, x + 14, top + height / 2);
      context.font = pen.font(10, 700);
      context.fillText(String(mark.number), x + 4, top + height / 2);
    });
  }
}
