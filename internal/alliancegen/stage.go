package alliancegen

// stage are the deliveries in order of arrival. Laboratory documents come before and
// after the orders they answer, the city's registrations before its results, and
// what changes the past comes last.
type stage struct {
	countyA     *night        // day 3
	labEarly    *labDelivery  // results whose orders mostly arrive later
	cityAdmit   *cityDelivery // registrations and visits
	cityOrders  *cityDelivery
	labResults  *labDelivery
	cityResults *cityDelivery
	countyB     *night // day 14; some columns not exported
	cityLeave   *cityDelivery
	countyC     *night       // day 25; every cell quoted
	labLate     *labDelivery // corrections and cancellations
	cityLate    *cityDelivery
}

func (s *story) stage() *stage {
	st := &stage{
		countyA:     s.county.night("01-county-hospital-nightly"),
		labEarly:    s.lab.delivery("02-regional-lab-results"),
		cityAdmit:   s.city.delivery("03-city-hospital-adt", 0),
		cityOrders:  s.city.delivery("04-city-hospital-orders", 10),
		labResults:  s.lab.delivery("05-regional-lab-results"),
		cityResults: s.city.delivery("06-city-hospital-results", 12),
		countyB:     s.county.night("07-county-hospital-nightly"),
		cityLeave:   s.city.delivery("08-city-hospital-adt-ref", 0),
		countyC:     s.county.night("09-county-hospital-nightly"),
		labLate:     s.lab.delivery("10-regional-lab-corrections"),
		cityLate:    s.city.delivery("11-city-hospital-late", 1),
	}
	st.countyB.missing = map[string][]string{"HIS_HZXX": {"LXDH", "JTZZ"}, "LIS_BGXM": {"JCFF"}}
	st.countyC.quoteAll = true
	return st
}
