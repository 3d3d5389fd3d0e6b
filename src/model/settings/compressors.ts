/**
 * model: what an artifact can be compressed by, by the codec's kind: its levels, and how a person undoes it without this tool.
 */
interface Compressor {
  readonly highestLevel: number;
  /** A command that reads what is compressed from the file it is given, or from stdin. */
  readonly byHand: string;
}

export const compressorKinds = ['zstd', 'gzip'] as const;
export type CompressorKind = (typeof compressorKinds)[number];

export const compressors: Readonly<Record<CompressorKind, Compressor>> = {
  zstd: { highestLevel: 19, byHand: 'zstd -d -c' },
  gzip: { highestLevel: 9, byHand: 'gzip -d -c' },
};
