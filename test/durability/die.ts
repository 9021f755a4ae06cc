/** How a server that a test kills dies at a chosen place of its own work. @module */

export function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal is on its way; until it is there, nothing more may be done.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  throw new Error('unreachable')
}
