// signalsmith-stretch comes as a node of its own. The console wants the WebAssembly module inside it, to feed it frame by
// frame: these are the lines of the package up to where its node begins.
import { readFile } from "node:fs/promises";

const FILE = /signalsmith-stretch[\\/]SignalsmithStretch\.mjs$/;
const END = "function registerWorkletProcessor(";
// It throws dice for phases when it stretches to more than twice the length; a page and a render are to throw the same.
const DICE = "var crypto=globalThis?.crypto||";
const LOADED = "var crypto={getRandomValues:array=>array.fill(1)}||";

/** The part of the package's source that makes the module, as a module whose default export is its factory. */
export function moduleOnly(source) {
  const end = source.indexOf(END);
  if (end < 0 || !source.includes(DICE)) {
    throw new Error("signalsmith-stretch has changed: its WebAssembly module is not where it was.");
  }
  return `${source.slice(0, end).replace(DICE, LOADED)}\nexport default SignalsmithStretch;\n`;
}

/** For esbuild. */
export const stretchModule = {
  name: "stretch-module",
  setup(build) {
    build.onLoad({ filter: FILE }, async ({ path }) => ({ contents: moduleOnly(await readFile(path, "utf8")), loader: "js" }));
  },
};

/** For Vite, which runs the tests. */
export const stretchPlugin = {
  name: "stretch-module",
  enforce: "pre",
  transform: (source, id) => (FILE.test(id.split("?")[0]) ? moduleOnly(source) : null),
};
