/**
 * The user at the other end of a Unix socket, as the kernel knows it. Node has no call for this, so it asks
 * libc through `node:ffi`: `SO_PEERCRED` on Linux, `getpeereid` elsewhere.
 * @see unix(7), docs/adr/0042-operators.md
 * @module
 */
import { readFileSync } from 'node:fs'
import type nodeFfi from 'node:ffi'
import type { Socket } from 'node:net'

/** Ids of the system's users. */
export interface PeerUser {
  readonly uid: number
  /**
   * The user who logged in, as Linux's audit subsystem keeps it through `su` and `sudo`. Absent if the system
   * does not know it. The kernel names the process that connected, so this is only as good as that process.
   */
  readonly loginUid?: number
}

type UserOf = (descriptor: number) => PeerUser | undefined

const solSocket = 1
const soPeercred = 17
/** `struct ucred`: pid, uid and gid, 4 bytes each. */
const ucredBytes = 12
/** What a login uid is that nobody has set. */
const unset = 0xffff_ffff
/** Linux shows every user so whom this user namespace does not know. */
const overflowUid = 65_534

let userOf: UserOf | undefined

/** Undefined when the system does not say it: the peer is unknown then. */
export function peerUserOf(socket: Socket): PeerUser | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: unknown } }
  const descriptor = handle?.fd
  if (typeof descriptor !== 'number' || descriptor < 0) return undefined
  userOf ??= openSystem()
  return userOf(descriptor)
}

function openSystem(): UserOf {
  try {
    return process.platform === 'linux' ? linuxUsers() : bsdUsers()
  } catch {
    // This build of Node has no FFI, or the process may not use it.
    return () => undefined
  }
}

function linuxUsers(): UserOf {
  const { dlopen } = ffi()
  const { functions } = dlopen(null, {
    getsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'pointer'], return: 'i32' },
  })
  return (descriptor) => {
    const ucred = new Uint8Array(ucredBytes)
    const length = Uint32Array.of(ucredBytes)
    const failed = functions.getsockopt(descriptor, solSocket, soPeercred, ucred, length)
    if (failed !== 0 || length[0] !== ucredBytes) return undefined
    const view = new DataView(ucred.buffer)
    const uid = view.getUint32(4, isLittleEndian)
    if (uid === unset || uid === overflowUid) return undefined
    const loginUid = loginOf(view.getInt32(0, isLittleEndian))
    return { uid, ...(loginUid !== undefined && { loginUid }) }
  }
}

function bsdUsers(): UserOf {
  const { dlopen } = ffi()
  const { functions } = dlopen(null, {
    getpeereid: { arguments: ['i32', 'pointer', 'pointer'], return: 'i32' },
  })
  return (descriptor) => {
    const uid = Uint32Array.of(unset)
    const gid = Uint32Array.of(unset)
    const failed = functions.getpeereid(descriptor, uid, gid)
    return failed !== 0 || uid[0] === undefined || uid[0] === unset ? undefined : { uid: uid[0] }
  }
}

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

/** @see proc_pid_loginuid(5) */
function loginOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/loginuid`, 'latin1').trim()
    return /^\d{1,10}$/.test(text) && Number(text) < unset ? Number(text) : undefined
  } catch {
    return undefined
  }
}

/** Without its warning, which would stand between the log's lines of JSON. */
function ffi(): Pick<typeof nodeFfi, 'dlopen'> {
  const warn = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  try {
    const found = process.getBuiltinModule('node:ffi')
    if (found === undefined) throw new Error('this build of Node has no FFI')
    return found
  } finally {
    process.emitWarning = warn
  }
}
