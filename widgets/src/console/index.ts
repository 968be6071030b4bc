/** The console as a script: an audio worklet registers its processor, and V8 inside Python finds `SfaConsole`. */
import type {} from "./types";
export {};
