module.exports = () => globalThis.slipwayTestPostgres?.stop();
