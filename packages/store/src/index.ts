/** Public entry of the store. */
export {};
