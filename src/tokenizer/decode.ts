/** What the WordPiece decoder of Hugging Face replaces in every token, in this order, to undo what splitting did. */
const CLEAN_UPS = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const;

/** Joins tokens into a text: pieces to the piece before, all else with a blank between, save where `cleanUp` drops it. */
export function joinTokens(tokens: Iterable<string>, continuingPrefix: string, cleanUp: boolean): string {
  let text = "";
  let isFirst = true;
  for (const token of tokens) {
    let part = isFirst ? token : ` ${token}`;
    if (!isFirst && token.startsWith(continuingPrefix)) part = token.slice(continuingPrefix.length);
    if (cleanUp) for (const [spaced, joined] of CLEAN_UPS) part = part.replaceAll(spaced, joined);
    text += part;
    isFirst = false;
  }
  return text;
}
