/** The version of Trent that runs: the one in package.json. @module */
import packageJson from '../package.json' with { type: 'json' }

export const version: string = packageJson.version
