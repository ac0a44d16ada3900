/** Texts of other hosts, before they are shown: nothing of them may steer a terminal. */

/** The text with its lines, and a mark in place of every other control character. */
export const harmless = (text: string): string => text.replace(/(?!\n)\p{Cc}/gu, "\ufffd");
