/** SoftHSM2, an HSM in software: tokens for tests. @module */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { unpackedPackages } from '../debian-packages.ts'
import { temporaryFolder } from '../store/engines.ts'

interface Programs {
  /** The PKCS #11 library. */
  readonly library: string
  readonly tool: string
}

export interface SoftHsm {
  readonly library: string
  readonly environment: Readonly<Record<string, string>>
  /** Makes a token with the PIN `pin`. */
  readonly makeToken: (label: string) => void
  /** Takes all tokens away. */
  readonly clear: () => void
  /** The number of objects in all tokens, counted without a PIN. */
  readonly countObjects: () => number
  /** Takes all tokens away, and returns a function that brings them back. */
  readonly hide: () => () => void
  /** Takes the HSM away, and returns a function that brings it back. */
  readonly unplug: () => () => void
}

export const pin = 'correct horse'

/** Where the package `pkcs11js` is not installed. */
export const withoutPkcs11js = {
  library: '/nowhere/hsm.so',
  environment: { NODE_OPTIONS: `--import=${new URL('without-pkcs11js.ts', import.meta.url).href}` },
} as const

/** Why the tests of this file are skipped; undefined if they can run. */
export const noSoftHsm = whyNot()

function whyNot(): string | undefined {
  const found = programs()
  if (typeof found === 'string') return found
  try {
    createRequire(import.meta.url)('pkcs11js')
    return undefined
  } catch {
    return 'pkcs11js is not compiled: `npm run build:pkcs11`'
  }
}

function programs(): Programs | string {
  const installed = { library: '/usr/lib/softhsm/libsofthsm2.so', tool: '/usr/bin/softhsm2-util' }
  if (existsSync(installed.library) && existsSync(installed.tool)) return installed
  const unpacked = unpackedPackages('softhsm2', ['softhsm2'])
  if ('why' in unpacked) return unpacked.why
  const [library] = globSync(`${unpacked.root}/usr/lib/*/softhsm/libsofthsm2.so`)
  if (library === undefined) return 'the packages of SoftHSM2 have no library'
  return { library, tool: join(unpacked.root, 'usr/bin/softhsm2-util') }
}

export function softHsm(t: Parameters<typeof temporaryFolder>[0]): SoftHsm {
  const found = programs()
  if (typeof found === 'string') throw new Error(found)
  const { library, tool } = found
  const folder = temporaryFolder(t)
  const tokens = join(folder, 'tokens')
  mkdirSync(tokens)
  const configuration = join(folder, 'softhsm2.conf')
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\n`)
  const environment = { SOFTHSM2_CONF: configuration }
  return {
    library,
    environment,
    makeToken(label) {
      const names = ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', 'so-pin']
      execFileSync(tool, ['--module', library, ...names], { env: environment })
    },
    clear() {
      rmSync(tokens, { recursive: true })
      mkdirSync(tokens)
    },
    countObjects: () =>
      globSync(`${tokens}/*/*.object`).filter((file) => !file.endsWith('/token.object')).length,
    hide() {
      renameSync(tokens, `${tokens}-hidden`)
      mkdirSync(tokens)
      return () => {
        rmSync(tokens, { recursive: true })
        renameSync(`${tokens}-hidden`, tokens)
      }
    },
    unplug() {
      const present = readFileSync(configuration)
      writeFileSync(configuration, `directories.tokendir = ${folder}/away\n`)
      return () => writeFileSync(configuration, present)
    },
  }
}

/** The ids of the child processes of this one. */
export function childProcesses(of = process.pid): readonly number[] {
  const children = readFileSync(`/proc/${of}/task/${of}/children`, 'utf8')
  return children.split(' ').filter(Boolean).map(Number)
}
