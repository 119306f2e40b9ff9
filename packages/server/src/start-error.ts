/** What keeps the server from starting and its reader can mend: told as a sentence, without where in our code. */
export class StartError extends Error {}
