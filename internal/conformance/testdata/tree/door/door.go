package door

// X99
const Open = 1
