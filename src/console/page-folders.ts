/**
 * Where the built pages are: in a folder, or inside the executable. Paths are relative, with `/`.
 * @module
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { getAsset, getAssetKeys } from 'node:sea'

export interface PageFolder {
  /** Names what is there now; undefined when the pages are not built. A build replaces all of them. */
  build(): Promise<string | undefined>
  paths(): Promise<readonly string[]>
  read(path: string): Promise<Buffer>
}

export function pagesOnDisk(directory: string): PageFolder {
  return {
    async build() {
      try {
        const { ino, mtimeMs } = await stat(join(directory, 'index.html'))
        return `${ino} ${mtimeMs}`
      } catch {
        return undefined // not built
      }
    },
    async paths() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
        .map((path) => path.split(sep).join('/'))
    },
    read: (path) => readFile(join(directory, path)),
  }
}

const prefix = 'console/'

export function pagesInExecutable(): PageFolder {
  const paths = getAssetKeys()
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
  return {
    build: async () => (paths.includes('index.html') ? 'inside' : undefined),
    paths: async () => paths,
    read: async (path) => Buffer.from(getAsset(`${prefix}${path}`)),
  }
}
