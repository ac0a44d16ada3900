/** Version of this software, as the programs tell it; a test holds it to package.json. */
export const SOFTWARE_VERSION = "1.0.21";
