/**
 * The programs of a real cluster: Patroni of PyPI, etcd of Debian, and PostgreSQL. Debian's own Patroni (3.0.2)
 * loses acknowledged writes when a paused leader resumes, so it is not used.
 * @module
 */
import { join } from 'node:path'
import { unpackedPackages } from '../debian-packages.ts'
import { pythonPrograms } from '../python-environment.ts'
import { installedPostgres, type PostgresBinaries } from '../store/postgres/postgres-binaries.ts'

export interface PatroniPrograms {
  /** The Python that has Patroni. */
  readonly python: string
  readonly etcd: string
  readonly postgres: PostgresBinaries
}

/** Installs what is missing. Returns the reason to skip the tests if something cannot be had. */
export async function patroniPrograms(): Promise<PatroniPrograms | { readonly skip: string }> {
  if (process.platform !== 'linux') return { skip: 'Patroni is only tested on Linux' }
  // pg_rewind, which Patroni needs, is not among the programs from npm.
  const postgres = installedPostgres().find(({ folder }) => folder.startsWith('/usr/lib/'))
  if (postgres === undefined) return { skip: 'no PostgreSQL of Debian here' }
  const etcd = unpackedPackages('etcd', ['etcd-server'])
  if ('why' in etcd) return { skip: etcd.why }
  const requirements = join(import.meta.dirname, 'requirements.txt')
  const patroni = await pythonPrograms({ what: 'Patroni', requirements })
  if (patroni.skip !== false) return { skip: patroni.skip }
  return {
    python: join(patroni.bin, 'python'),
    etcd: join(etcd.root, 'usr', 'bin', 'etcd'),
    postgres,
  }
}
