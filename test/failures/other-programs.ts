/**
 * Other versions of the programs that nodes and their database run on, for tests of upgrades. Where there is no
 * other version, it is the same one in another folder.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { otherVersionOf } from '../debian-packages.ts'
import { installed } from '../tools/installed.ts'

/** Two installations of a program, the older one first. */
export interface Upgrade {
  /** The programs, with their paths. */
  readonly from: string
  readonly to: string
  /** From which version to which, for people. */
  readonly versions: string
}

/** @param folder for a copy, if there is no other version */
export async function nodejsUpgrade(folder: string): Promise<Upgrade> {
  const other = await installed({
    name: 'nodejs',
    toolchain: ['npm --version'],
    sources: '../failures/nodejs',
    fetch: ['npm ci --ignore-scripts --no-audit --no-fund'],
  })
  const own = realpathSync(process.execPath)
  if (other.skip === false) {
    const name = `node-${process.platform}-${process.arch}`
    const program = join(other.folder, 'node_modules', name, 'bin', 'node')
    return upgradeBetween(own, program)
  }
  const copy = join(folder, 'node')
  copyFileSync(own, copy)
  return copied(own, copy, other.skip)
}

/**
 * @param bin the folder of Debian's programs
 * @param folder for a copy, if there is no other version
 */
export function postgresUpgrade(bin: string, folder: string): Upgrade {
  const [, version = ''] = /^\/usr\/lib\/postgresql\/(\d+)\/bin$/.exec(bin) ?? []
  const own = join(bin, 'postgres')
  const other = otherVersionOf([`postgresql-${version}`, `postgresql-client-${version}`])
  if ('root' in other) return upgradeBetween(own, join(other.root, own))
  return copied(own, copyOfPostgres(folder, bin, version), other.why)
}

function upgradeBetween(...programs: readonly [own: string, other: string]): Upgrade {
  const [own, other] = programs.map((program) => realpathSync(program)) as [string, string]
  const both = [own, other].map((program) => ({ program, version: versionOf(program) }))
  const [from, to] = both.toSorted((one, two) => compareVersions(one.version, two.version))
  if (from === undefined || to === undefined || from.version === to.version) {
    return { from: own, to: other, versions: `${versionOf(own)} in another folder` }
  }
  return { from: from.program, to: to.program, versions: `${from.version} to ${to.version}` }
}

const copied = (from: string, to: string, why: string): Upgrade => ({
  from,
  to,
  versions: `${versionOf(from)} in another folder (${why})`,
})

function versionOf(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return /\d+(?:\.\d+)+/.exec(text)?.[0] ?? text.trim()
}

const compareVersions = (one: string, other: string): number =>
  one.localeCompare(other, 'en', { numeric: true })

/** The programs find the rest by their own place. */
function copyOfPostgres(folder: string, bin: string, version: string): string {
  const library = join('lib', 'postgresql', version)
  const shared = join('share', 'postgresql', version)
  for (const each of [library, dirname(shared)]) mkdirSync(join(folder, each), { recursive: true })
  cpSync(bin, join(folder, library, 'bin'), { recursive: true })
  symlinkSync(join('/usr', library, 'lib'), join(folder, library, 'lib'))
  symlinkSync(join('/usr', shared), join(folder, shared))
  chmodSync(folder, 0o755)
  return join(folder, library, 'bin', 'postgres')
}
