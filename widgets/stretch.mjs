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

/** Goes wherever the module goes. */
export const notice = `/*! Contains Signalsmith Stretch. Copyright (c) 2022 Geraint Luff / Signalsmith Audio Ltd.

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
*/`;

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
