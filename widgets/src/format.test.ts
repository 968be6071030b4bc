import { describe, expect, it } from "vitest";
import { ago, bytes, duration, measure, plural, position, tempo, timeLeft } from "./format";

describe("numbers as people read them", () => {
  it.each([[0, "0:00"], [59.6, "1:00"], [187.2, "3:07"], [3729, "1:02:09"], [null, "–"], [Number.NaN, "–"]])(
    "a duration of %s s is %s", (seconds, text) => expect(duration(seconds)).toBe(text),
  );

  it.each([[0, "0:00.0"], [59.99, "0:59.9"], [83.45, "1:23.4"], [-1, "0:00.0"], [30.1, "0:30.1"]])(
    "a position of %s s is %s", (seconds, text) => expect(position(seconds)).toBe(text),
  );

  it.each([[null, ""], [2, "a few seconds left"], [62, "about 60 s left"], [600, "about 10 min left"], [7200, "about 2.0 h left"]])(
    "%s s to go are '%s'", (seconds, text) => expect(timeLeft(seconds)).toBe(text),
  );

  it("knows tempo, loudness, sizes and counts", () => {
    expect(tempo(128)).toBe("128.0");
    expect(tempo(null)).toBe("–");
    expect(measure(-9.24, "LUFS")).toBe("−9.2 LUFS");
    expect(bytes(4_200_000)).toBe("4.2 MB");
    expect(plural(1, "track")).toBe("1 track");
    expect(plural(12_400, "track")).toBe("12,400 tracks");
  });

  it("tells how long ago", () => {
    const now = Date.parse("2026-06-10T12:00:00Z");
    expect(ago("2026-06-10T11:59:30Z", now)).toBe("just now");
    expect(ago("2026-06-10T11:15:00Z", now)).toBe("45 min ago");
    expect(ago("2026-06-10T07:00:00Z", now)).toBe("5 h ago");
    expect(ago("2026-06-09T07:00:00Z", now)).toBe("yesterday");
    expect(ago("2026-03-12T07:00:00Z", now)).toBe("12 Mar 2026");
    expect(ago(null, now)).toBe("–");
  });
});
