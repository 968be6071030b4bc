declare module "signalsmith-stretch" {
  /** The WebAssembly module of Signalsmith Stretch (Emscripten); sizes in frames. */
  export interface StretchModule {
    readonly HEAP8: Int8Array;
    _main(): void;
    /** Room for `frames` of each channel; the address of the inputs, channel after channel, then of the outputs. */
    _setBuffers(channels: number, frames: number): number;
    _configure(channels: number, block: number, interval: number, split: boolean): void;
    _presetDefault(channels: number, sampleRate: number): void;
    _presetCheaper(channels: number, sampleRate: number): void;
    _reset(): void;
    _inputLatency(): number;
    _outputLatency(): number;
    _setTransposeSemitones(semitones: number, tonality: number): void;
    _setFormantSemitones(semitones: number, compensate: boolean): void;
    _seek(frames: number, rate: number): void;
    _process(input: number, output: number): void;
  }
  export default function stretchModule(): Promise<StretchModule>;
}
