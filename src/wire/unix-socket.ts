/**
 * Creates the file of a Unix socket so that at no moment anyone but its owner can connect, and so that
 * the socket of a living process is never taken over. It sets no umask: that belongs to the whole
 * process, and other threads create files meanwhile.
 * @module
 */
import { chmod, chown, lstat, mkdtemp, rename, rmdir, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname, join } from 'node:path'

/** Bytes of a path that every system accepts (macOS has 104 with the closing zero, Linux 108). */
const pathBytesMax = 103

/** The socket cannot be created. The message is one line for the operator. */
export class SocketRefused extends Error {}

/**
 * Makes `server` listen at `path`, mode 0600; with a group, 0660. Returns a function that removes the file.
 * @throws {SocketRefused} when another process answers there, or the path is not a socket
 */
export async function listenAt(
  server: Server,
  path: string,
  group?: number,
): Promise<() => Promise<void>> {
  await requireFree(path)
  // The directory has mode 0700: nobody can reach the socket until its own mode is set.
  const directory = await mkdtemp(join(dirname(path), '.s-'))
  const hidden = join(directory, 's')
  try {
    if (Buffer.byteLength(hidden) > pathBytesMax || Buffer.byteLength(path) > pathBytesMax) {
      throw new SocketRefused(`the path of the socket is longer than a system takes: ${path}`)
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: hidden }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    if (group !== undefined) await giveTo(group, hidden)
    await chmod(hidden, group === undefined ? 0o600 : 0o660)
    await rename(hidden, path)
  } catch (error) {
    server.close()
    await unlink(hidden).catch(ignoreAbsent)
    throw error
  } finally {
    await rmdir(directory)
  }
  const { ino } = await lstat(path)
  return async () => {
    // By then the file may belong to a later server.
    const present = await lstat(path).catch(ignoreAbsent)
    if (present?.ino === ino) await unlink(path)
  }
}

async function giveTo(group: number, path: string): Promise<void> {
  await chown(path, process.geteuid?.() ?? 0, group).catch((cause: unknown) => {
    const message = `the server's user may not give the socket to group ${group}: make it a member`
    throw new SocketRefused(message, { cause })
  })
}

async function requireFree(path: string): Promise<void> {
  const present = await lstat(path).catch(ignoreAbsent)
  if (present === undefined) return
  if (!present.isSocket())
    throw new SocketRefused(`there is something that is no socket at ${path}`)
  if (await isAnswered(path)) throw new SocketRefused(`another process listens at ${path}`)
}

/**
 * Whether a process answers. Only a refused connection proves that none does: a socket that is busy or
 * out of reach is not free.
 */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')
    })
  })
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
