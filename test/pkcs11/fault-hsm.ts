/** SoftHSM2 behind a library that fails as a test asks. @module */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '../store/engines.ts'
import { noSoftHsm, softHsm, type SoftHsm } from './soft-hsm.ts'

export interface FaultHsm extends SoftHsm {
  /** Asks for faults, `FUNCTION FAULT [VALUE]` each; none ends them. `fault-hsm.c` has the list. */
  readonly ask: (...rules: readonly string[]) => void
}

const source = join(import.meta.dirname, 'fault-hsm.c')
const includes = join(import.meta.dirname, '../../node_modules/pkcs11js/includes/pkcs11')
const built = join(import.meta.dirname, '../../.cache/fault-hsm')
const compiled = join(built, 'fault-hsm.so')

/** Why the tests of this file are skipped; undefined if they can run. */
export const noFaultHsm = noSoftHsm ?? compile()

function compile(): string | undefined {
  const isNew = existsSync(compiled) && statSync(compiled).mtimeMs > statSync(source).mtimeMs
  if (isNew) return undefined
  mkdirSync(built, { recursive: true })
  const partial = join(built, `${process.pid}.so`)
  try {
    const names = ['-shared', '-fPIC', '-O1', '-I', includes, '-o', partial, source, '-ldl']
    execFileSync('cc', names, { stdio: 'ignore' })
  } catch {
    return 'there is no C compiler (`cc`) for the library that fails on demand'
  }
  // Another test file may use the library at this moment.
  renameSync(partial, compiled)
  return undefined
}

export function faultHsm(t: TestContext): FaultHsm {
  const soft = softHsm(t)
  const folder = temporaryFolder(t)
  const rules = join(folder, 'rules')
  const ask = (...asked: readonly string[]): void => {
    for (const file of readdirSync(folder)) rmSync(join(folder, file))
    writeFileSync(rules, asked.join('\n'))
  }
  ask()
  return {
    ...soft,
    library: compiled,
    environment: {
      ...soft.environment,
      FAULT_HSM_LIBRARY: soft.library,
      FAULT_HSM_RULES: rules,
    },
    ask,
  }
}
