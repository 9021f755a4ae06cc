/** The guide to pgBackRest: backups of PostgreSQL whose passphrase is a data key of Trent. @module */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { unpackedPackages } from '../debian-packages.ts'
import { followGuide } from '../guides/guide.ts'
import { temporaryFolder } from '../store/engines.ts'
import { installedPostgres, unprivilegedUser } from '../store/postgres/postgres-binaries.ts'

const clients = await pythonClients()
const postgres = installedPostgres().find(({ folder }) => folder.startsWith('/usr/lib/'))
const debian = unpackedPackages('pgbackrest', ['pgbackrest'])
const skip =
  clients.skip ||
  (postgres === undefined && 'no PostgreSQL of Debian here') ||
  ('why' in debian && debian.why)

test(
  'pgBackRest backs up and restores with a passphrase that only Trent can decrypt',
  { skip },
  async (t) => {
    const machine = temporaryFolder(t)
    const user = unprivilegedUser()
    const own = (path: string): void => {
      if (user !== undefined) chownSync(path, user.uid, user.gid)
    }
    const made = (...parts: readonly string[]): string => {
      const folder = join(machine, ...parts)
      mkdirSync(folder, { recursive: true })
      own(folder)
      return folder
    }
    own(machine)
    const [settings, repository, databases] = [made('etc'), made('repository'), made('databases')]
    const [sockets, bin] = [made('sockets'), made('bin')]
    // PostgreSQL refuses to run as root, whose Python the shell still reads.
    if (user !== undefined) {
      const as = `setpriv --reuid=${user.uid} --regid=${user.gid} --clear-groups`
      const reading = '--inh-caps=+dac_read_search --ambient-caps=+dac_read_search'
      const script = `[ "$(id -u)" = 0 ] || exec /bin/bash "$@"\nexec ${as} ${reading} /bin/bash "$@"\n`
      writeFileSync(join(bin, 'bash'), `#!/bin/sh\n${script}`)
      chmodSync(join(bin, 'bash'), 0o755)
    }
    // `pg_ctl` starts a server that outlives the shell of the guide.
    t.after(() => {
      for (const name of ['main', 'restored']) {
        const file = join(databases, name, 'postmaster.pid')
        if (existsSync(file))
          process.kill(Number.parseInt(readFileSync(file, 'utf8'), 10), 'SIGKILL')
      }
    })
    const root = 'root' in debian ? debian.root : ''
    const programs = [bin, postgres?.folder ?? '', join(root, 'usr/bin')]
    const { server } = await followGuide(
      t,
      'docs/guides/postgresql-backups.md',
      [clients, ...programs.map((folder) => ({ bin: folder, skip: false as const }))],
      {
        stands: {
          '/etc/pgbackrest': settings,
          '/var/lib/pgbackrest': repository,
          '/var/lib/postgresql/15': databases,
          '/var/run/postgresql': sockets,
        },
        environment: {
          PGBACKREST_CONFIG: join(settings, 'pgbackrest.conf'),
          PGBACKREST_LOG_PATH: made('log'),
          PGBACKREST_LOCK_PATH: made('lock'),
          PGBACKREST_SPOOL_PATH: made('spool'),
        },
        before: {
          'key=$(aws kms create-key': (folder) => {
            own(folder)
            return Promise.resolve()
          },
        },
        fails: ['pgbackrest --stanza=main --repo1-cipher-pass=guess', 'aws iam delete-user-policy'],
      },
    )
    const ofPassphrase = (await recordsOf(server.directory)).filter(
      ({ eventName }) => eventName === 'Decrypt',
    )
    assert.ok(ofPassphrase.some(({ errorCode }) => errorCode === 'AccessDenied'))
    for (const { userIdentity } of ofPassphrase) {
      assert.match(String(userIdentity['arn']), /:user\/pgbackrest$/)
    }
  },
)
