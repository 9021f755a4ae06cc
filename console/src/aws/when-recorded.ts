/** Questions about a call's record, which can be found some seconds after the call. @module */

const attempts = 12
const waitMs = 1000

/** Asks again while the answer is a `NotFoundException`, for some seconds. */
export async function whenRecorded<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask()
    } catch (error) {
      const isSoon = error instanceof Error && error.name === 'NotFoundException'
      if (!isSoon || attempt === attempts) throw error
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  }
}
