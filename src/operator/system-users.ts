/**
 * Users and groups of the system, from its files. Those of another directory (LDAP) are not in them: such a
 * user is known by number.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const fileBytesMax = 1024 * 1024
const entry = /^([A-Za-z_][\w.-]{0,31}\$?):[^:]*:(\d{1,10}):/

/** Read for each call, because users come and go, and calls are few. */
export function namesOfUsers(): ReadonlyMap<number, string> {
  const names = new Map<number, string>()
  // The first entry of a number counts, as for the system.
  for (const [name, uid] of entriesOf('/etc/passwd')) if (!names.has(uid)) names.set(uid, name)
  return names
}

/** @param group a name or a number; undefined when there is no group of this name */
export function groupId(group: string): number | undefined {
  if (/^\d{1,10}$/.test(group)) return Number(group)
  return entriesOf('/etc/group').find(([name]) => name === group)?.[1]
}

function entriesOf(path: string): readonly (readonly [name: string, id: number])[] {
  return readText(path)
    .split('\n')
    .flatMap((line) => {
      const [, name, id] = entry.exec(line) ?? []
      return name === undefined ? [] : [[name, Number(id)] as const]
    })
}

function readText(path: string): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const bytes = Buffer.alloc(Math.min(fstatSync(descriptor).size, fileBytesMax))
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0))
  } catch {
    return ''
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
