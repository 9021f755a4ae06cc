/** The library that verifies JSON Web Tokens, loaded when the first token arrives. @module */
import { createRequire } from 'node:module'
import type * as Library from 'jose'

const load = createRequire(import.meta.url)

export function jose(): typeof Library {
  return load('jose') as typeof Library
}
