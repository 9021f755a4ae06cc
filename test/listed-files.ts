/** The files of the repository, for the tests of its shape and text. @module */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..')
/** Tracked and new files, without ignored ones; paths from `root`. */
export const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))
export const sources = files.filter((file) => file.endsWith('.ts'))
export const read = (file: string): string => readFileSync(join(root, file), 'utf8')
