import { compile } from "html-to-text";
import PostalMime, { type Email } from "postal-mime";

/** What a mail program shows of one mail, and the identifiers that tie it to others. */
export interface MailText {
  subject: string;
  text: string;
  /** Its own Message-ID first, if it has one, then those of the mails that it answers. */
  messageIds: string[];
}

/**
 * Reads a raw mail (RFC 5322 and MIME) as a person would: subject and body decoded, HTML rendered as text,
 * attachments and headers gone. Signatures and quoted replies stay.
 *
 * Rejects where the MIME structure is beyond reading.
 */
export async function readMail(raw: Buffer): Promise<MailText> {
  let email = await PostalMime.parse(withBoundary(raw));
  if (isGarbled(email)) email = await PostalMime.parse(withBoundary(withCharset(raw)));
  return {
    subject: tidy(email.subject ?? "").replace(/\s+/g, " "),
    text: tidy(bodyText(email)),
    messageIds: messageIds(email),
  };
}

const renderHtml = compile({
  wordwrap: false,
  // The whole document: in broken HTML much of the text stands outside <body>.
  baseElements: { selectors: [] },
  selectors: [
    ...["title", "style", "script", "img"].map((selector) => ({ selector, format: "skip" })),
    { selector: "a", options: { ignoreHref: true } },
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: "hr", options: { length: 3 } },
  ],
});

/** The HTML version where there is one, as mail programs prefer it, unless nothing in it is text. */
function bodyText({ html, text = "" }: Email): string {
  if (html !== undefined) return renderHtml(html).trim() || text;
  return MARKUP.test(text) ? renderHtml(text) : text;
}

/** HTML that was sent without saying so. */
const MARKUP = /^\s*<(?:!--|(?:!doctype|x-html|html|head|meta|title|style|body|table|div|center|font|p)\b[^>]*>)/i;

/**
 * Windows-1252 for 0x80 to 0x9F. Mails labelled ISO-8859-1 mean it too, and Node 20's `TextDecoder` makes control
 * characters of these bytes (nodejs/node#56542).
 */
const C1 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/** Line ends, spaces and punctuation made plain, runs of empty lines made one. */
function tidy(text: string): string {
  return text
    .replace(/[\x80-\x9f]/g, (control) => C1.charAt(control.charCodeAt(0) - 0x80))
    .replace(/\r\n?/g, "\n")
    .replace(/[\u00a0\u200b\ufeff]/g, " ")
    .replace(/[^\S\n]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function messageIds({ messageId = "", inReplyTo = "", references = "" }: Email): string[] {
  const ids = (header: string) => header.match(/<[^<>\s]+@[^<>\s]+>/g) ?? [];
  // `In-Reply-To: Message from Ann <ann@example.org> of Monday <id@example.org>`: the address is no identifier.
  return [...ids(messageId), ...ids(inReplyTo).slice(-1), ...ids(references)];
}

function isGarbled({ subject = "", html, text = "" }: Email): boolean {
  return subject.includes("\ufffd") || (html ?? text).includes("\ufffd");
}

/**
 * Declares the charset of 8-bit headers and of text parts that name none: the one that the mail mentions elsewhere
 * (another part, an HTML <meta>), else windows-1252, which Western mail programs assumed.
 */
function withCharset(raw: Buffer): Buffer {
  const source = raw.toString("latin1"); // one character a byte
  const mentioned = /charset\s*=\s*(?:3D)?["']?([\w-]+)/i.exec(source)?.[1];
  const charset = mentioned !== undefined && isLegacyCharset(mentioned) ? mentioned : "windows-1252";
  const { head, body } = cut(source);
  const decodedHead = new TextDecoder(charset).decode(Buffer.from(head, "latin1"));
  const declare = (text: string) =>
    text.replace(/^content-type:\s*text\/(?:plain|html)\b(?!.*(?:\n[ \t].*)*charset)/gim, `$&; charset=${charset}`);
  const declaredHead = declare(decodedHead);
  const missing = /^content-type:/im.test(head) ? "" : `Content-Type: text/plain; charset=${charset}\n`;
  return Buffer.concat([Buffer.from(missing + declaredHead), Buffer.from(declare(body), "latin1")]);
}

/** Whether this is a charset that can be decoded, other than UTF-8, which was tried already. */
function isLegacyCharset(charset: string): boolean {
  try {
    return new TextDecoder(charset).encoding !== "utf-8";
  } catch {
    return false;
  }
}

/** Names the boundary that a multipart body really uses where the headers name none or another. */
function withBoundary(raw: Buffer): Buffer {
  const source = raw.toString("latin1");
  const { head, body } = cut(source);
  const used = /^\s*(?:this is a .*\s+)?--(.*\S)\s*\ncontent-type:/i.exec(body)?.[1];
  if (used === undefined) return raw;
  const declared = /boundary\s*=\s*"?([^"\n;]+)/i.exec(head)?.[1];
  if (declared !== undefined ? body.includes(`--${declared}`) : /^content-type:/im.test(head)) return raw;
  return Buffer.concat([Buffer.from(`Content-Type: multipart/alternative; boundary="${used}"\n`), raw]);
}

/** The header and, from the empty line on, the body. */
function cut(source: string): { head: string; body: string } {
  const end = source.search(/\r?\n\r?\n/);
  return end < 0 ? { head: source, body: "" } : { head: source.slice(0, end), body: source.slice(end) };
}
