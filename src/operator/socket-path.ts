/** Shortens Unix socket paths, which may have 107 bytes on Linux and 103 on macOS. @module */
import { relative } from 'node:path'

/** `path`, or its form relative to the working directory when that is shorter. */
export function shortestPath(path: string): string {
  const fromHere = relative(process.cwd(), path)
  return fromHere.length < path.length ? fromHere : path
}
