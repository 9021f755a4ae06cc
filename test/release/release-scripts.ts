/** The scripts of a release, with types. @module */
// @ts-expect-error -- plain JavaScript, as all scripts
import * as executables from '../../scripts/release/executables.mjs'
// @ts-expect-error -- plain JavaScript, for any Node.js
import * as nodes from '../../scripts/verify-node.mjs'

export const { buildExecutable, platforms } = executables as {
  readonly platforms: readonly string[]
  readonly buildExecutable: (of: {
    readonly root: string
    readonly platform: string
    readonly pages: string
    readonly file: string
  }) => Promise<void>
}

export const { recorded } = nodes as { readonly recorded: { readonly version: string } }
