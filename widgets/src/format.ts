/** Numbers as people read them. Every result has a fixed shape so that columns do not jump. */

const EMPTY = "–";

/** "3:07", "1:02:09"; seconds in. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return EMPTY;
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** "1:23.4": a place in a song, rounded down so that it never runs ahead of the sound. */
export function position(seconds: number): string {
  const tenths = Math.floor(Math.max(0, seconds) * 10 + 1e-6);
  const minutes = Math.floor(tenths / 600);
  const rest = (tenths % 600) / 10;
  return `${minutes}:${rest.toFixed(1).padStart(4, "0")}`;
}

export function tempo(bpm: number | null | undefined): string {
  return bpm === null || bpm === undefined ? EMPTY : bpm.toFixed(1);
}

/** A number with a unit, or a dash. */
export function measure(value: number | null | undefined, unit: string, digits = 1): string {
  if (value === null || value === undefined) return EMPTY;
  // A true minus sign: it has the width of a figure.
  return `${value.toFixed(digits).replace("-", "−")} ${unit}`;
}

/** "about 2 min left"; seconds in. */
export function timeLeft(seconds: number | null): string {
  if (seconds === null) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 90) return `about ${Math.max(5, Math.round(seconds / 5) * 5)} s left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}

/** "just now", "5 min ago", "3 h ago", "yesterday", "12 Mar 2026". */
export function ago(iso: string | null, now = Date.now()): string {
  const time = iso === null ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(time)) return EMPTY;
  const minutes = (now - time) / 60_000;
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${Math.floor(minutes)} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  if (minutes < 48 * 60) return "yesterday";
  return new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${(count / 1e3).toFixed(0)} kB`;
  if (count < 1e9) return `${(count / 1e6).toFixed(1)} MB`;
  return `${(count / 1e9).toFixed(2)} GB`;
}

const whole = new Intl.NumberFormat("en-GB");

/** "1 track", "12,400 tracks". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}
