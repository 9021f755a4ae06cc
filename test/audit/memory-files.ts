/**
 * A file system in memory that can fail, and that models a power cut: synced data survives, and of the
 * rest any sectors may. A failed sync leaves its pages marked as written, as Linux does, so a later
 * sync does not write them.
 */
import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { syncEachWrite, type FilePort, type OpenFile } from '../../src/disk/files.ts'

const sectorBytes = 64

interface StoredFile {
  bytes: Buffer
  size: number
  durable: Buffer
  dirty: Set<number>
}

export type FileOperation =
  | 'create'
  | 'write'
  | 'datasync'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'syncDirectory'
  | 'freeBytes'

/** The result of a call: it succeeds, fails, or (a write) takes only this many bytes. */
export type Fate = 'done' | { readonly error: string } | { readonly short: number }

export interface MemoryFiles extends FilePort {
  /** The file port of a process that starts now; it does nothing more once the process is dead. */
  readonly boot: () => FilePort
  /** Decides the fate of each call. */
  plan: (operation: FileOperation, path: string) => Fate
  /**
   * The process dies: what it wrote stays in the page cache, and its open files are no longer in use.
   */
  readonly kill: () => void
  /** The power fails: `survives` decides which unsynced sectors and names stay. */
  readonly cutPower: (survives: () => boolean) => void
  readonly readFile: (path: string) => Buffer
  readonly writeFile: (path: string, bytes: Buffer) => void
  readonly paths: () => readonly string[]
  free: number
}

export function failure(code: string): { readonly error: string } {
  return { error: code }
}

export function createMemoryFiles(): MemoryFiles {
  let names = new Map<string, StoredFile>()
  /** The names as of the last sync of a directory. */
  let durableNames = new Map<string, StoredFile>()
  const directories = new Set<string>()
  let lifetime = 0

  function meet(operation: FileOperation, path: string): { readonly short?: number } {
    const fate = port.plan(operation, path)
    if (fate === 'done') return {}
    if ('short' in fate) return fate
    throw Object.assign(new Error(`${fate.error}: ${operation} ${basename(path)}`), {
      code: fate.error,
    })
  }

  function handle(file: StoredFile): OpenFile {
    const born = lifetime
    // The operation sees the file's current name.
    const met = (operation: FileOperation) => {
      const [path = 'removed'] = [...names].find(([, each]) => each === file) ?? []
      return meet(operation, path)
    }
    // A dead process does nothing more.
    const call = async <T>(act: () => T): Promise<T> => {
      await Promise.resolve()
      if (born !== lifetime) return new Promise<T>(() => undefined)
      return act()
    }
    const flush = (operation: 'datasync' | 'sync') =>
      call(() => {
        try {
          met(operation)
        } catch (error) {
          file.dirty.clear()
          throw error
        }
        settle(file, () => true)
      })
    return {
      write: (bytes, position) =>
        call(() => {
          const { short } = met('write')
          const taken = bytes.subarray(0, short ?? bytes.length)
          grow(file, position + taken.length)
          file.bytes.set(taken, position)
          const end = position + taken.length
          for (let at = position - (position % sectorBytes); at < end; at += sectorBytes) {
            file.dirty.add(at)
          }
          return taken.length
        }),
      read: (into, position) =>
        call(() => {
          const bytes = file.bytes.subarray(position, Math.min(file.size, position + into.length))
          into.set(bytes)
          return bytes.length
        }),
      datasync: () => flush('datasync'),
      sync: () => flush('sync'),
      truncate: (size) =>
        call(() => {
          met('truncate')
          file.bytes.fill(0, size)
          file.size = size
          file.bytes = Buffer.from(file.bytes.subarray(0, size))
        }),
      size: () => call(() => file.size),
      close: () => call(() => undefined),
    }
  }

  function settle(file: StoredFile, survives: () => boolean): void {
    file.durable = resized(file.durable, file.size)
    for (const at of file.dirty) {
      if (survives()) file.bytes.copy(file.durable, at, at, Math.min(at + sectorBytes, file.size))
    }
    file.dirty.clear()
  }

  const port: MemoryFiles = {
    free: 2 ** 40,
    plan: () => 'done',
    create: async (path) => {
      await Promise.resolve()
      meet('create', path)
      assert.ok(!names.has(path), `${path} exists`)
      const empty = () => Buffer.alloc(0)
      const file = { bytes: empty(), size: 0, durable: empty(), dirty: new Set<number>() }
      names.set(path, file)
      return handle(file)
    },
    createDurable: async (path) => syncEachWrite(await port.create(path)),
    openToRead: async (path) => {
      await Promise.resolve()
      const file = names.get(path)
      if (file === undefined) {
        throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
      }
      return handle(file)
    },
    rename: async (from, to) => {
      await Promise.resolve()
      meet('rename', from)
      const file = names.get(from)
      assert.ok(file)
      names.delete(from)
      names.set(to, file)
    },
    remove: async (path) => {
      await Promise.resolve()
      names.delete(path)
    },
    makeDirectory: async (path) => {
      await Promise.resolve()
      for (let at = path; !directories.has(at); at = dirname(at)) directories.add(at)
    },
    list: async (directory) => {
      await Promise.resolve()
      const inside = [...names.keys(), ...directories].filter(
        (path) => dirname(path) === directory && path !== directory,
      )
      return inside.map((path) => ({ name: basename(path), isDirectory: directories.has(path) }))
    },
    syncDirectory: async (path) => {
      await Promise.resolve()
      meet('syncDirectory', path)
      const own = (name: string) => dirname(name) === path
      for (const name of durableNames.keys()) if (own(name)) durableNames.delete(name)
      for (const [name, file] of names) if (own(name)) durableNames.set(name, file)
    },
    freeBytes: async (path) => {
      await Promise.resolve()
      meet('freeBytes', path)
      return port.free
    },
    boot: () => {
      const born = lifetime
      const alive =
        <A extends readonly unknown[], T>(act: (...args: A) => Promise<T>) =>
        (...args: A): Promise<T> =>
          born === lifetime ? act(...args) : new Promise<T>(() => undefined)
      return {
        create: alive(port.create),
        createDurable: alive(port.createDurable),
        openToRead: alive(port.openToRead),
        rename: alive(port.rename),
        remove: alive(port.remove),
        makeDirectory: alive(port.makeDirectory),
        list: alive(port.list),
        syncDirectory: alive(port.syncDirectory),
        freeBytes: alive(port.freeBytes),
      }
    },
    kill: () => {
      lifetime += 1
    },
    cutPower: (survives) => {
      lifetime += 1
      // Either all names are those of the last sync, or all are the current ones, as with one commit of
      // the file system's journal.
      const kept = survives() ? names : durableNames
      for (const file of new Set([...names.values(), ...durableNames.values()])) {
        settle(file, survives)
        file.bytes = Buffer.from(file.durable)
      }
      names = new Map(kept)
      durableNames = new Map(kept)
    },
    readFile: (path) => {
      const file = names.get(path)
      assert.ok(file, `${path} is there`)
      return Buffer.from(file.bytes.subarray(0, file.size))
    },
    writeFile: (path, bytes) => {
      const copy = Buffer.from(bytes)
      const file = {
        bytes: copy,
        size: copy.length,
        durable: Buffer.from(bytes),
        dirty: new Set<number>(),
      }
      names.set(path, file)
      directories.add(dirname(path))
    },
    paths: () => [...names.keys()].sort(),
  }
  return port
}

function grow(file: StoredFile, size: number): void {
  if (size <= file.size) return
  if (file.bytes.length < size) file.bytes = resized(file.bytes, 2 * size)
  file.size = size
}

function resized(bytes: Buffer, size: number): Buffer {
  if (bytes.length === size) return bytes
  const copy = Buffer.alloc(size)
  bytes.copy(copy)
  return copy
}
