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

/** @param folder what the build wrote; it may not exist yet */
export function createBuiltFiles(folder: PageFolder): BuiltFiles {
  let loaded: { readonly build: string; readonly files: ReadonlyMap<string, BuiltFile> } | undefined
  let loading: Promise<void> | undefined
  const load = async (build: string): Promise<void> => {
    loaded = { build, files: await readFiles(folder) }
  }
  /** A build replaces the whole directory, and so its first page. */
  const refresh = async (): Promise<void> => {
    const build = await folder.build()
    if (build === undefined) loaded = undefined
    else if (build !== loaded?.build) {
      loading ??= load(build).finally(() => (loading = undefined))
      await loading
    }
  }
  return {
    async find(path) {
      // An open page asks for the rest of its own build.
      if (loaded === undefined || path === 'index.html') await refresh()
      return loaded?.files.get(path)
    },
    async isBuilt() {
      await refresh()
      return loaded !== undefined
    },
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
