/** Loaded into a server that is a process of its own: a system clock that is wrong by `TEST_CLOCK_WRONG_MS`. @module */
const now = Date.now.bind(Date)
const wrongMs = Number(process.env['TEST_CLOCK_WRONG_MS'])
Date.now = () => now() + wrongMs
