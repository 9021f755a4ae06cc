/** One member of the cluster: Patroni with the PostgreSQL that it runs, in a folder. @module */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unprivilegedUser } from '../store/postgres/postgres-binaries.ts'
import type { Link } from './link.ts'
import type { PatroniPrograms } from './patroni-programs.ts'
import {
  atExit,
  familyOf,
  isRunning,
  postmasterOf,
  programOf,
  runLogged,
  signalTo,
} from './processes.ts'

export const superuser = 'admin'

export interface MemberPorts {
  readonly postgres: number
  readonly restApi: number
}

/** What others reach a member by, and how it reaches etcd. */
export interface MemberLinks {
  readonly postgres: Link
  readonly restApi: Link
  readonly etcd: Link
}

export interface MemberSettings {
  readonly name: string
  readonly folder: string
  readonly programs: PatroniPrograms
  readonly ports: MemberPorts
  readonly links: MemberLinks
  readonly password: string
  /** The part of the configuration that the first member gives the cluster. */
  readonly cluster: Readonly<Record<string, unknown>>
}

export class Member {
  readonly name: string
  readonly ports: MemberPorts
  readonly links: MemberLinks
  readonly #settings: MemberSettings
  readonly #forget: () => void
  #patroni: ChildProcess | undefined
  #isPaused = false
  #postgres: string

  constructor(settings: MemberSettings) {
    this.#settings = settings
    this.name = settings.name
    this.ports = settings.ports
    this.links = settings.links
    this.#postgres = settings.programs.postgres.folder
    mkdirSync(settings.folder, { mode: 0o700 })
    this.#own(settings.folder)
    this.#forget = atExit(() => this.kill())
  }

  get log(): string {
    return join(this.#settings.folder, 'log')
  }

  get #data(): string {
    return join(this.#settings.folder, 'data')
  }

  /** The path of PostgreSQL's program; undefined while it does not run. */
  get program(): string | undefined {
    return programOf(postmasterOf(this.#data))
  }

  /** Uses the programs of another folder from the next start of Patroni on. */
  usePrograms(folder: string): void {
    this.#postgres = folder
  }

  start(): void {
    const { folder, programs } = this.#settings
    const file = join(folder, 'patroni.json')
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(this.#configuration()), { mode: 0o600 })
    this.#own(file)
    const patroni = [programs.python, '-m', 'patroni', file]
    this.#patroni = runLogged(this.log, [...asUnprivileged(), ...patroni], {
      HOME: folder,
      LC_ALL: 'C.UTF-8',
      PATH: '/usr/bin:/bin',
      PYTHONUNBUFFERED: '1',
    })
  }

  /** As if the machine died. */
  kill(): void {
    this.#signal('SIGKILL')
    this.#isPaused = false
  }

  /** Kills PostgreSQL, and leaves Patroni. */
  killPostgres(): void {
    for (const pid of this.#postgresFamily()) signalTo(pid, 'SIGKILL')
  }

  /** Kills Patroni, and leaves PostgreSQL. */
  killPatroni(): void {
    this.#patroni?.kill('SIGKILL')
  }

  /** As if the machine was suspended. */
  pause(): void {
    this.#isPaused = true
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#isPaused = false
    this.#signal('SIGCONT')
  }

  /** Whether Patroni runs. */
  get isRunning(): boolean {
    return !this.#isPaused && this.#patroni !== undefined && isRunning(this.#patroni)
  }

  /** Whether Patroni ended, and not by a signal of these tests. */
  get endedByItself(): boolean {
    const patroni = this.#patroni
    return patroni !== undefined && !isRunning(patroni) && patroni.signalCode !== 'SIGKILL'
  }

  /** Deletes its data. It copies the primary's. */
  async reinitialize(): Promise<void> {
    const patroni = this.#patroni
    this.kill()
    if (patroni !== undefined && isRunning(patroni)) await once(patroni, 'exit')
    rmSync(this.#data, { recursive: true, force: true, maxRetries: 5 })
    this.start()
  }

  /** Starts Patroni again if it does not run. */
  async restart(): Promise<void> {
    if (this.#isPaused) this.resume()
    if (!this.isRunning) this.start()
  }

  /** Stops it for good. */
  async stop(): Promise<void> {
    await this.end()
    this.#forget()
  }

  /** Ends Patroni, which ends PostgreSQL. */
  async end(): Promise<void> {
    this.resume()
    const patroni = this.#patroni
    if (patroni !== undefined && isRunning(patroni)) {
      const ended = once(patroni, 'exit')
      patroni.kill('SIGTERM')
      const late = setTimeout(() => this.kill(), 30_000)
      await ended
      clearTimeout(late)
    }
    this.kill()
  }

  /** Cuts the member off from everything but the nodes, which have links of their own. */
  cut(): void {
    for (const link of Object.values<Link>({ ...this.links })) link.cut()
  }

  heal(waiting: 'deliver' | 'drop'): void {
    for (const link of Object.values<Link>({ ...this.links })) link.heal(waiting)
  }

  #signal(signal: NodeJS.Signals): void {
    for (const pid of [...this.#postgresFamily(), this.#patroni?.pid]) signalTo(pid, signal)
  }

  #postgresFamily(): readonly number[] {
    const pid = postmasterOf(this.#data)
    return pid === undefined ? [] : familyOf(pid)
  }

  #own(path: string): void {
    const user = unprivilegedUser()
    if (user !== undefined) chownSync(path, user.uid, user.gid)
  }

  #configuration(): object {
    const { name, folder, ports, links, password, cluster } = this.#settings
    const host = '127.0.0.1'
    const login = (username: string): object => ({ username, password })
    return {
      scope: 'trent',
      namespace: '/tests/',
      name,
      restapi: {
        listen: `${host}:${ports.restApi}`,
        connect_address: `${host}:${links.restApi.port}`,
      },
      // Its section `etcd:` needs an API that Debian's etcd answers with 404.
      // Without `use_proxies`, Patroni asks etcd for its address, and goes around the link.
      etcd3: { hosts: [`${host}:${links.etcd.port}`], use_proxies: true },
      bootstrap: {
        dcs: cluster,
        initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'data-checksums', 'no-sync'],
      },
      postgresql: {
        listen: `${host}:${ports.postgres}`,
        connect_address: `${host}:${links.postgres.port}`,
        bin_dir: this.#postgres,
        data_dir: this.#data,
        pgpass: join(folder, 'pgpass'),
        use_unix_socket: true,
        use_unix_socket_repl: true,
        parameters: { unix_socket_directories: folder },
        pg_hba: [
          'local all all trust',
          'local replication all trust',
          `host all all ${host}/32 scram-sha-256`,
          `host replication all ${host}/32 scram-sha-256`,
        ],
        authentication: {
          superuser: login(superuser),
          replication: login('replicator'),
          rewind: login('rewinder'),
        },
      },
    }
  }
}

/**
 * PostgreSQL refuses to run as root. The user that runs it may not be able to read the Python of root's home, so it
 * keeps that one right of root.
 */
function asUnprivileged(): readonly string[] {
  const user = unprivilegedUser()
  if (user === undefined) return []
  const id = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  const rights = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override']
  return ['setpriv', ...id, ...rights, '--pdeathsig=KILL']
}
