const seconds = (Date.now() - Number(process.env.STATE_started)) / 1000;

console.log(`${process.env.INPUT_LABEL} took ${seconds.toFixed(1)} s`);
