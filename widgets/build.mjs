// Bundles each widget family into one self-contained module and one style sheet beside the Python package.
//
//   node build.mjs               every family
//   node build.mjs library jobs  some of them
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const FAMILIES = ["library", "player", "jobs", "analysis", "mixer", "dialogs", "sources", "playlists", "dashboard"];
// Both travel with every widget instance and into saved notebooks.
const MAX_BYTES = 150_000;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !FAMILIES.includes(name));
if (unknown.length > 0) {
  console.error(`No such family: ${unknown.join(", ")}. Choose from ${FAMILIES.join(", ")}.`);
  process.exit(2);
}

const names = asked.length > 0 ? asked : FAMILIES;
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: Object.fromEntries(names.map((name) => [name, join("src", name, "index.ts")])),
  outdir: join("sfa_widgets", "static"),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

let tooLarge = false;
for (const [path, output] of Object.entries(metafile.outputs)) {
  console.log(`${path}  ${(output.bytes / 1000).toFixed(1)} kB`);
  if (output.bytes > MAX_BYTES) {
    console.error(`${path} is larger than ${MAX_BYTES / 1000} kB.`);
    tooLarge = true;
  }
}
if (tooLarge) process.exit(1);
