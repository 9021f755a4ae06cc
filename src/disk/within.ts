/** Whether one path lies in another. @module */
import { relative } from 'node:path'

/** Whether `path` is the directory or lies in it, by the names alone. Both are absolute. */
export function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path)
  return way !== '..' && !way.startsWith('../')
}
