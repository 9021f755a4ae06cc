/** The nodes of a deployment, as processes: each with its own disk, and its own links to the database. @module */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeClients, type Answer, type Deployment, type Login, type Who } from './calls.ts'
import { openLink, type Link } from './link.ts'
import { NodeProcess, rootLogin } from './node-process.ts'
import { atExit, folderAtExit } from './processes.ts'

export interface FleetSettings {
  readonly nodes: number
  /** The Node.js that runs them. Default: the one of the tests. */
  readonly nodejs?: string
  /** The ports of the database's members. */
  readonly members: readonly number[]
  readonly password: string
  readonly freshnessSeconds: number
  readonly requireSynchronous: boolean
  /** Further settings of each node. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Room for the reserve of 256 MiB, and the journal of a run. */
const diskMegabytes = 512

export class Fleet implements Deployment {
  readonly nodes: number
  readonly accountId = '111122223333'
  readonly processes: readonly NodeProcess[]
  /** Whether each node has a disk of its own, which can be filled. */
  readonly hasDisks: boolean
  readonly folder: string
  readonly #logins = new Map<Who, Login>([['root', rootLogin]])
  readonly #clients = new Map<number, { readonly url: string; readonly clients: NodeClients }>()
  readonly #remove: () => void

  private constructor(folder: string, processes: readonly NodeProcess[], hasDisks: boolean) {
    this.folder = folder
    this.processes = processes
    this.nodes = processes.length
    this.hasDisks = hasDisks
    this.#remove = folderAtExit(folder)
  }

  static async start(settings: FleetSettings): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'trent-nodes-'))
    const processes: NodeProcess[] = []
    let hasDisks = true
    for (let index = 0; index < settings.nodes; index += 1) {
      const own = join(folder, `node-${index}`)
      mkdirSync(own)
      hasDisks = mountDisk(own) && hasDisks
      const links: Link[] = []
      for (const port of settings.members) links.push(await openLink(port))
      const node = new NodeProcess(own, links, databaseSettings(folder, links, settings))
      if (settings.nodejs !== undefined) node.nodejs = settings.nodejs
      processes.push(node)
    }
    const fleet = new Fleet(folder, processes, hasDisks)
    // The first one makes the schema.
    for (const node of processes) await node.start()
    return fleet
  }

  /** Gives a caller credentials. */
  login(who: Who, login: Login): void {
    this.#logins.set(who, login)
  }

  isUp(node: number): boolean {
    return this.processes[node]?.url !== undefined
  }

  async call(
    node: number,
    who: Who | Login,
    operation: string,
    input: object,
    region?: string,
  ): Promise<Answer> {
    const url = this.processes[node]?.url
    if (url === undefined) return { kind: 'unavailable', error: 'no process' }
    let found = this.#clients.get(node)
    if (found?.url !== url) {
      found?.clients.destroy()
      found = { url, clients: new NodeClients(url, this.#logins) }
      this.#clients.set(node, found)
    }
    return await found.clients.call(who, operation, input, region)
  }

  /** Stops every node as an operator does. */
  async stop(): Promise<void> {
    for (const { clients } of this.#clients.values()) clients.destroy()
    await Promise.all(this.processes.map((node) => node.terminate()))
  }

  /** Removes what the nodes have stored. */
  remove(): void {
    for (const node of this.processes) {
      node.kill()
      for (const link of node.links) link.close()
      if (this.hasDisks) unmount(node.folder)
    }
    this.#remove()
  }
}

function databaseSettings(
  folder: string,
  links: readonly Link[],
  { password, freshnessSeconds, requireSynchronous, settings }: FleetSettings,
): Readonly<Record<string, string>> {
  const hosts = links.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return {
    TRENT_DATABASE_URL: `postgres://trent:${password}@${hosts}/trent`,
    TRENT_SEAL: `file:${join(folder, 'seal.key')}`,
    TRENT_FRESHNESS_SECONDS: String(freshnessSeconds),
    TRENT_REQUIRE_SYNCHRONOUS: String(requireSynchronous),
    ...settings,
  }
}

/** @returns whether the file system was mounted; not everybody may do that */
function mountDisk(folder: string): boolean {
  try {
    const options = `size=${diskMegabytes}m,mode=0700`
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'trent-test', folder], { stdio: 'ignore' })
  } catch {
    return false
  }
  atExit(() => unmount(folder))
  return true
}

function unmount(folder: string): void {
  if (!readFileSync('/proc/mounts', 'utf8').includes(` ${folder} `)) return
  execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' })
}
