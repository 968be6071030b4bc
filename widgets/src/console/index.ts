/** The console as a script: an audio worklet registers its processor, and V8 inside Python finds `SfaConsole`. */

import { registerConsole } from "./worklet";

declare const AudioWorkletProcessor: unknown;

if (typeof AudioWorkletProcessor === "function") registerConsole();
