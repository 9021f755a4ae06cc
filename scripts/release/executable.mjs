// What the single executable runs first: the child process of a token, or the command `trent`. Without arguments
// it serves.
import { fstatSync } from 'node:fs'
import { dirname, join } from 'node:path'

const rlimitCore = 4

/** A core dump would hold keys, shares and passphrases. An executable has no shell in front of it. */
function limitCore() {
  const warn = process.emitWarning.bind(process)
  process.emitWarning = () => undefined // it would stand between the log's lines of JSON
  try {
    const ffi = process.getBuiltinModule('node:ffi')
    const { functions } = ffi.dlopen(null, {
      setrlimit: { arguments: ['i32', 'pointer'], return: 'i32' },
    })
    functions.setrlimit(rlimitCore, new BigUint64Array(2))
  } catch {
    // `serve` warns of the limit that is in force.
  } finally {
    process.emitWarning = warn
  }
}

/** @param {string | undefined} program what a parent gives in place of a command */
function isTokenChild(program) {
  if (program !== join(dirname(process.execPath), 'token-child.js')) return false
  return fstatSync(3).isSocket() // the pipe to the parent
}

limitCore()
const [, , first] = process.argv
if (isTokenChild(first)) await import('../../src/pkcs11/token-child.ts')
else {
  if (first === undefined) process.argv.push('serve')
  await import('../../src/main.ts')
}
