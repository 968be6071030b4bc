// Bundles each widget family into one self-contained module and one style sheet beside the Python package.
//
//   node build.mjs               every family
//   node build.mjs library jobs  some of them
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { notice, stretchModule } from "./stretch.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const FAMILIES = ["library", "player", "jobs", "analysis", "mixer", "dialogs", "sources", "playlists", "decks", "session", "dashboard"];
// Both travel with every widget instance and into saved notebooks.
const MAX_BYTES = 150_000;
// The decks' engine: fetched by a page that plays, and run by Python to render. It is a script, not a module, because it
// is run in audio worklets and in V8 alone; it holds the stretcher's WebAssembly and so may be larger.
const CONSOLE = "console";
const MAX_CONSOLE_BYTES = 250_000;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => ![...FAMILIES, CONSOLE].includes(name));
if (unknown.length > 0) {
  console.error(`No such family: ${unknown.join(", ")}. Choose from ${[...FAMILIES, CONSOLE].join(", ")}.`);
  process.exit(2);
}

const names = asked.length > 0 ? asked : [...FAMILIES, CONSOLE];
const common = {
  absWorkingDir: here,
  outdir: join("sfa_widgets", "static"),
  bundle: true,
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
};
const entries = (chosen) => Object.fromEntries(chosen.map((name) => [name, join("src", name, "index.ts")]));
const builds = [build({ ...common, entryPoints: entries(names.filter((name) => name !== CONSOLE)), format: "esm" })];
if (names.includes(CONSOLE)) {
  const banner = { js: notice };
  builds.push(build({ ...common, entryPoints: entries([CONSOLE]), format: "iife", plugins: [stretchModule], banner }));
}
const outputs = Object.assign({}, ...(await Promise.all(builds)).map(({ metafile }) => metafile.outputs));

let tooLarge = false;
for (const [path, output] of Object.entries(outputs)) {
  console.log(`${path}  ${(output.bytes / 1000).toFixed(1)} kB`);
  const most = path.endsWith(`${CONSOLE}.js`) ? MAX_CONSOLE_BYTES : MAX_BYTES;
  if (output.bytes > most) {
    console.error(`${path} is larger than ${most / 1000} kB.`);
    tooLarge = true;
  }
}
if (tooLarge) process.exit(1);
