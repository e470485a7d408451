package validate_test

// slack is for machines that do something else at the same time.
const slack = 3
