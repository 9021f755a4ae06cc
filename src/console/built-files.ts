/**
 * The files of the built console. They are read when the first browser asks, and again when they were
 * built again. `scripts/build-console.mjs` writes them, each also compressed.
 * @module
 */
import { createHash } from 'node:crypto'
import { extname } from 'node:path'
import type { PageFolder } from './page-folders.ts'

export interface BuiltFile {
  readonly type: string
  readonly bytes: Buffer
  /** The same, compressed with Brotli; absent for formats that are compressed already. */
  readonly brotli?: Buffer
  readonly etag: string
  /** The name has the hash of the content: a browser may keep the file for good. */
  readonly isHashed: boolean
}

export interface BuiltFiles {
  /** @param path below `/console/`. Undefined when there is no such file. */
  find(path: string): Promise<BuiltFile | undefined>
  /** Whether the console is built at all. */
  isBuilt(): Promise<boolean>
}

/** Types that the build makes. A file of any other type is not served. */
const typesOf: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.woff2', 'font/woff2'],
])

/** The console has about a hundred files. */
const filesMax = 1000

/** Reads of a folder that builds go on replacing. A build takes seconds, a read milliseconds. */
const readsMax = 5

interface Loaded {
  readonly build: string
  readonly files: ReadonlyMap<string, BuiltFile>
}

/** @param folder what the build wrote; it may not exist yet */
export function createBuiltFiles(folder: PageFolder): BuiltFiles {
  let loaded: Loaded | undefined
  /** Pages that are open ask for the rest of their own build. */
  let former: Loaded['files'] = new Map()
  let loading: Promise<void> | undefined
  const load = async (): Promise<void> => {
    const next = await readBuild(folder)
    if (next === undefined || next.build === loaded?.build) return
    former = loaded?.files ?? new Map()
    loaded = next
  }
  /** A build replaces the whole directory, and so its first page. Without one, the earlier pages stay. */
  const refresh = async (): Promise<void> => {
    const build = await folder.build()
    if (build === undefined || build === loaded?.build) return
    loading ??= load().finally(() => (loading = undefined))
    await loading
  }
  const formerFile = (path: string): BuiltFile | undefined => {
    const file = former.get(path)
    return file?.isHashed === true ? file : undefined
  }
  return {
    async find(path) {
      if (loaded === undefined || path === 'index.html') await refresh()
      return loaded?.files.get(path) ?? formerFile(path)
    },
    async isBuilt() {
      await refresh()
      return loaded !== undefined
    },
  }
}

/**
 * Reads all files of one build. A build that comes between two reads would mix the files of two.
 * @returns undefined when there is no build
 */
async function readBuild(folder: PageFolder): Promise<Loaded | undefined> {
  for (let reads = 1; ; reads += 1) {
    const build = await folder.build()
    if (build === undefined) return undefined
    try {
      const files = await readFiles(folder)
      if ((await folder.build()) === build) return { build, files }
    } catch (error) {
      if (reads === readsMax || (await folder.build()) === build) throw error
    }
    if (reads === readsMax) throw new Error('the console is built again and again')
  }
}

async function readFiles(folder: PageFolder): Promise<ReadonlyMap<string, BuiltFile>> {
  const paths = await folder.paths()
  if (paths.length > filesMax) throw new Error(`the console has more than ${filesMax} files`)
  const present = new Set(paths)
  const files = new Map<string, BuiltFile>()
  for (const path of paths) {
    const type = typesOf.get(extname(path))
    if (type === undefined) continue
    const bytes = await folder.read(path)
    const compressed = `${path}.br`
    files.set(path, {
      type,
      bytes,
      ...(present.has(compressed) && { brotli: await folder.read(compressed) }),
      etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`,
      isHashed: path.startsWith('assets/'),
    })
  }
  return files
}
