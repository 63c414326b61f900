/** Whether anything of a text is left by BERT's clean-up: more than blanks and what cannot be seen, such as U+200B. */
export function hasText(text: string): boolean {
  return /[^\s\p{Cc}\p{Cf}\p{Co}\p{Cs}\ufffd]/u.test(text);
}
