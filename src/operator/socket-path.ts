/** Unix socket paths are short: 107 bytes on Linux, 103 on macOS. @module */
import { relative } from 'node:path'

/** `path`, or the same place seen from the working directory where that is shorter. */
export function shortestPath(path: string): string {
  const fromHere = relative(process.cwd(), path)
  return fromHere.length < path.length ? fromHere : path
}
